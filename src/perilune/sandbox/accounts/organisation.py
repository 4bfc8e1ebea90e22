"""A Moonshot organisation: one wallet and one set of limits over all its keys."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct, field


class Limits(Struct, kw_only=True, forbid_unknown_fields=True):
    """Rate limits of an organisation. Units: requests at once, requests and tokens per minute, tokens per day."""

    concurrency: int
    rpm: int
    tpm: int
    tpd: int | None = None


TIERS = {
    0: Limits(concurrency=1, rpm=3, tpm=500_000, tpd=1_500_000),
    1: Limits(concurrency=50, rpm=200, tpm=2_000_000),
    2: Limits(concurrency=100, rpm=500, tpm=3_000_000),
    3: Limits(concurrency=200, rpm=5_000, tpm=3_000_000),
    4: Limits(concurrency=400, rpm=5_000, tpm=4_000_000),
    5: Limits(concurrency=1_000, rpm=10_000, tpm=5_000_000),
}


class Organisation(Struct, tag_field="plan", tag="moonshot", kw_only=True, forbid_unknown_fields=True):
    """One organisation of the Moonshot platform.

    Units: money in the region's currency (CNY on `cn`, USD on `intl`). `limits` overrides the tier's.
    """

    region: Literal["cn", "intl"] = "intl"
    keys: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    voucher: Decimal = Decimal("5.00000")
    cash: Decimal = Decimal("13.42731")
    paid: Decimal = Decimal(10)
    tier: int = 1
    limits: Limits | None = None
    empty_status: Literal[429, 403, 402] = 429
    serves_me: bool = True
    is_open: bool = True
    ip_allowed: bool = True
    models: list[str] | None = None
    org_id: str = "org-0000"
    key_id: str = "ak-0000"

    @property
    def available(self) -> Decimal:
        return self.voucher + max(self.cash, Decimal(0))

    @property
    def effective_limits(self) -> Limits:
        return self.limits or TIERS[self.tier]

    def charge(self, money: Decimal) -> None:
        """Takes `money` from the voucher first, then from the cash, which may end below zero."""
        from_voucher = min(money, max(self.voucher, Decimal(0)))
        self.voucher -= from_voucher
        self.cash -= money - from_voucher
