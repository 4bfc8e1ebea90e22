"""What alert rules work with: the alert, and the edges that keep one from being told twice."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal

from msgspec import Struct

from perilune.quota.workdays import WorkWeek

Facts = Mapping[str, str]


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing worth telling.

    Shape: `facts` fill the placeholders of its text: amounts and ratios as decimal text, moments in RFC 3339.
    """

    kind: str
    at: datetime
    account: str | None = None
    window: str | None = None
    facts: dict[str, str] = {}


class WindowEdges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was told of one window. `passed` are the levels told or noted; `readings` those of the running cycle."""

    ratio: Decimal
    resets_at: datetime | None = None
    passed: tuple[int, ...] = ()
    readings: int = 1
    is_early_told: bool = False


class MoneyEdges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was told of a balance: the last amount, and since when it is told to be low or nearly gone."""

    available: Decimal
    currency: str
    low_told_at: datetime | None = None
    short_told_at: datetime | None = None


class BlockEdges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What blocks an account and was told. `read_at` is the newest reading that was seen while it was blocked."""

    by: str
    until: datetime | None = None
    read_at: datetime | None = None


class Edges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that was told of one account; kept, so that a restart neither repeats nor forgets."""

    read_at: datetime | None = None
    windows: dict[str, WindowEdges] = {}
    block: BlockEdges | None = None
    money: MoneyEdges | None = None
    down_since: datetime | None = None
    is_down_told: bool = False
    has_drift: bool = False


class AlertRules(Struct, frozen=True, kw_only=True):
    """The user's settings. Levels in percent; floors by currency; `few_days` None is off."""

    levels: tuple[int, ...] = (75, 90)
    floors: Mapping[str, Decimal] = {}
    few_days: Decimal | None = None
    is_early_on: bool = True
    week: WorkWeek

    @classmethod
    def plain(cls, zone: tzinfo) -> "AlertRules":
        """The defaults, every day of the week a work day."""
        return cls(week=WorkWeek(frozenset(range(1, 8)), zone))
