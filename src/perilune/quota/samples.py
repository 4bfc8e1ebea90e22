"""Kept readings: one of a window at one moment, and all of an account."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct


class Sample(Struct, frozen=True, kw_only=True):
    """A kept reading of one window, or the last of several.

    Shape: `readings` were made from `began_at` to `at`; `began_at` None is `at`.
    """

    at: datetime
    used_ratio: Decimal | None
    resets_at: datetime | None = None
    limit: Decimal | None = None
    began_at: datetime | None = None
    readings: int = 1

    @property
    def first_at(self) -> datetime:
        return self.began_at or self.at


class History(Struct, frozen=True, kw_only=True):
    """Kept readings of one account, oldest first: windows by id, and the moments of balances."""

    windows: Mapping[str, Sequence[Sample]] = {}
    balances: Sequence[datetime] = ()
