"""Rate-limit tiers: a hint that pre-fills a cap, never shown as a fact about an account."""

from datetime import date
from decimal import Decimal

from msgspec import Struct

from perilune.catalog.models import Mark


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one tier allows an organisation. Units: requests in flight, requests and tokens a minute, tokens a day.

    Shape: `top_up` cumulative amounts by currency; None is unlimited.
    """

    number: int
    top_up: dict[str, Decimal]
    concurrency: int
    rpm: int
    tpm: int
    tpd: int | None = None


class Tiers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tiers of one plan, lowest first."""

    plan: str
    as_of: date
    mark: Mark
    first_guess: int
    tier: tuple[Tier, ...]

    def of(self, number: int) -> Tier | None:
        """The tier of that number."""
        return next((tier for tier in self.tier if tier.number == number), None)

    def guess(self) -> Tier:
        """The tier assumed for an account nothing is known of."""
        return self.tier[self.first_guess]

    def for_top_up(self, amount: Decimal, currency: str) -> Tier | None:
        """The tier that a cumulative top-up reaches; None below the lowest or for an unlisted currency."""
        reached = [tier for tier in self.tier if currency in tier.top_up and tier.top_up[currency] <= amount]
        return reached[-1] if reached else None
