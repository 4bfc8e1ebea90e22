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
