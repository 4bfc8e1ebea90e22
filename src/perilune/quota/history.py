"""`perilune.history.v1`: what was used, by day, hour, model, route, key or account."""

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from perilune.core.money import MoneyDocument
from perilune.quota.cycles import Beginning
from perilune.quota.rhythm import Rhythm

By = Literal["day", "hour", "model", "route", "key", "account"]
LEDGER = "ledger"


class CostDocument(Struct, frozen=True):
    """What requests cost in one unit. `cost` is None for plan quota, and where there is no price."""

    unit: Literal["money", "quota"]
    requests: int
    cost: MoneyDocument | None


class PeakDocument(Struct, frozen=True):
    """The most that was read of a window."""

    account: str
    window: str
    used_ratio: float


class HistoryRow(Struct, frozen=True, kw_only=True):
    """One day, hour, model, route, key or account, of one origin.

    Shape: `start` for days and hours alone. Counts are None where nothing was recorded, 0 where nothing was used.
    `unpriced` requests are in no cost. `estimated` marks what other programs' logs say.
    """

    label: str | None
    start: datetime | None = None
    origin: str = LEDGER
    estimated: bool = False
    requests: int | None = None
    failed: int | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    output_tokens: int | None = None
    unpriced: int | None = None
    costs: list[CostDocument] = field(default_factory=list)
    peaks: list[PeakDocument] = field(default_factory=list)


class CycleDocument(Struct, frozen=True, kw_only=True):
    """One run of a window between resets, as its readings tell it. `used_ratio` is the most that was read."""

    account: str
    window: str
    begun_by: Beginning
    confirmed: bool
    first_at: datetime
    last_at: datetime
    resets_at: datetime | None
    used_ratio: float | None
    spent_at: datetime | None


class TopUpDocument(Struct, frozen=True):
    """A balance that rose, by at least so much."""

    at: datetime
    account: str
    amount: MoneyDocument


class SpendingDocument(Struct, frozen=True, kw_only=True):
    """What the readings of a balance say was spent: a lower bound where money came in between two of them."""

    account: str
    spent: MoneyDocument
    burn_per_day: MoneyDocument | None
    days_left: float | None


class RhythmDocument(Struct, frozen=True):
    """What is used of a window in an hour: seven days from Monday, of 24 hours each."""

    account: str
    window: str
    hours: Rhythm


class HistoryDocument(Struct, frozen=True, kw_only=True):
    """The whole answer. Days and hours are those of `tz`; `sources` says where the figures come from."""

    schema: Literal["perilune.history.v1"] = "perilune.history.v1"
    generated_at: datetime
    since: datetime
    by: By
    tz: str
    recorded_since: datetime | None
    sources: list[str]
    currencies: list[str]
    rows: list[HistoryRow]
    cycles: list[CycleDocument] = field(default_factory=list)
    top_ups: list[TopUpDocument] = field(default_factory=list)
    spending: list[SpendingDocument] = field(default_factory=list)
    rhythms: list[RhythmDocument] = field(default_factory=list)
