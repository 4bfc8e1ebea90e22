"""Memberships as they were sold, and the title that a membership level stands for."""

from datetime import date
from decimal import Decimal

from msgspec import Struct

from perilune.catalog.models import Mark

_VERSION_WITH_LEVELS = "GOODS_VERSION_V1"
_NO_TITLE = ("", "LEVEL_UNSPECIFIED")


class Level(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that could be bought; prices in the membership's currency, None where not confirmed."""

    name: str
    monthly: Decimal | None = None
    yearly: Decimal | None = None
    multiple: int | None = None
    weekly_requests: int | None = None


class Membership(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was sold in one region in one era. `since` and `until` are as precise as what is known."""

    since: str
    region: str
    currency: str
    windows: tuple[str, ...]
    levels: tuple[Level, ...]
    mark: Mark
    until: str | None = None
    windows_note: str = ""


class Title(Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a membership level."""

    level: str
    title: str
    mark: Mark


class Memberships(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything known of one plan's memberships. For help texts and the sandbox, never shown as a reading."""

    as_of: date
    plan: str
    keys_per_membership: int
    concurrency: int
    requests_per_5h: tuple[int, int]
    extra_usage_minimum: dict[str, Decimal]
    extra_usage_monthly_maximum: dict[str, Decimal]
    membership: tuple[Membership, ...]
    title: tuple[Title, ...]

    def title_of(self, level: object, version: object = None) -> str | None:
        """The title of a `membership.level`: known levels by name, others as they are, none for a later version."""
        if version not in (None, _VERSION_WITH_LEVELS) or not isinstance(level, str):
            return None
        plain = level.strip()
        if plain in _NO_TITLE:
            return None
        return next((title.title for title in self.title if title.level == plain), plain)

    def on_sale(self, region: str) -> Membership | None:
        """What is sold in a region now."""
        return next((sold for sold in self.membership if sold.region == region and sold.until is None), None)
