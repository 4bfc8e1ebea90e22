"""A Kimi Code membership: its keys, windows, wallet, and how its answers look."""

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from msgspec import Struct, field

Region = Literal["cn", "intl"]
UsagesShape = Literal["ratio", "ratio-without-7d", "counts", "percent", "membership", "mixed"]
QuotaWords = Literal["specific", "billing-cycle", "old"]


class QuotaWindow(Struct, kw_only=True, forbid_unknown_fields=True):
    """One quota that fills with use and comes back at its reset.

    Units: `limit`, `used`, `elsewhere` in requests; `span_s` seconds, None for a month that renews on a date.
    Shape: `elsewhere` is use by the vendor's other features; `reported` overrides the ratio that a ratio reading shows.
    """

    limit: Decimal = Decimal(200)
    used: Decimal = Decimal(0)
    elsewhere: Decimal = Decimal(0)
    span_s: int | None = None
    resets_at: datetime | None = None
    resets_in_s: float | None = None
    reported: Decimal | None = None
    recent: list[tuple[datetime, Decimal]] = field(default_factory=list)

    @property
    def ratio(self) -> Decimal:
        return (self.used + self.elsewhere) / self.limit

    @property
    def is_full(self) -> bool:
        return self.used + self.elsewhere >= self.limit

    def roll(self, now: datetime) -> None:
        """Empties the window when its reset has passed. A rolling one waits for its next request to start."""
        if self.resets_in_s is not None:
            self.resets_at, self.resets_in_s = now + timedelta(seconds=self.resets_in_s), None
        while self.resets_at is not None and now >= self.resets_at:
            self.used = self.elsewhere = Decimal(0)
            self.reported = None
            self.recent.clear()
            self.resets_at = None if self.span_s else next_month(self.resets_at)

    def fill(self, amount: Decimal, now: datetime) -> None:
        """Counts `amount` and starts the window when it was idle."""
        if self.resets_at is None:
            self.resets_at = now + timedelta(seconds=self.span_s) if self.span_s else next_month(now)
        self.used += amount
        self.recent.append((now, amount))
        del self.recent[:-2_000]

    def seen(self, now: datetime, lag_s: float) -> tuple[Decimal, Decimal]:
        """Used and elsewhere as a reading shows them whose counters lag by `lag_s`."""
        unseen = sum((amount for at, amount in self.recent if at > now - timedelta(seconds=lag_s)), Decimal(0))
        return max(self.used - (unseen if lag_s > 0 else 0), Decimal(0)), self.elsewhere


class Wallet(Struct, kw_only=True, forbid_unknown_fields=True):
    """Extra Usage: prepaid money that serves once the windows are full. Units: `currency`."""

    currency: str = "CNY"
    amount: Decimal = Decimal(50)
    left: Decimal = Decimal("31.25")
    used_this_month: Decimal = Decimal("18.75")
    monthly_cap: Decimal | None = Decimal(200)
    state: str | None = None

    @property
    def is_spendable(self) -> bool:
        is_open = self.state is None or "enabled" in self.state.lower()
        return is_open and self.left > 0 and (self.monthly_cap is None or self.used_this_month < self.monthly_cap)

    def spend(self, money: Decimal) -> None:
        self.left -= money
        self.used_this_month += money


def _usual_windows() -> dict[str, QuotaWindow]:
    return {
        "5h": QuotaWindow(limit=Decimal(200), span_s=18_000),
        "7d": QuotaWindow(limit=Decimal(2_048), span_s=604_800),
        "month": QuotaWindow(limit=Decimal(8_000)),
    }


class Membership(Struct, tag_field="plan", tag="kimi-code", kw_only=True, forbid_unknown_fields=True):
    """One Kimi Code subscription. Its keys, logins and web sessions share the windows and the cap.

    Shape: `windows` by id; an absent one is not reported and never fills. `models` are the ids the plan may use.
    """

    region: Region = "cn"
    keys: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    web_sessions: list[str] = field(default_factory=list)
    state: Literal["active", "lapsed", "banned"] = "active"
    shape: UsagesShape = "ratio"
    windows: dict[str, QuotaWindow] = field(default_factory=_usual_windows)
    wallet: Wallet | None = None
    level: str | None = "LEVEL_INTERMEDIATE"
    level_name: str = "Allegretto"
    title: str = "Allegretto"
    version: str | None = None
    parallel: int = 30
    reports_parallel: bool = False
    models: list[str] = field(default_factory=lambda: ["kimi-for-coding", "k3", "k3-256k", "kimi-for-coding-highspeed"])
    lists_only: list[str] | None = None
    lag_s: float = 0
    quota_words: QuotaWords = "specific"
    quota_status: int | None = None
    serves_me: bool = True
    user_id: str = "u_0001"

    def roll(self, now: datetime) -> None:
        for window in self.windows.values():
            window.roll(now)

    def full_window(self) -> str | None:
        """The full window that comes back last; None when every window has room."""
        full = [name for name, window in self.windows.items() if window.is_full]
        return max(full, key=self._comes_back, default=None)

    def _comes_back(self, name: str) -> float:
        resets_at = self.windows[name].resets_at
        return resets_at.timestamp() if resets_at else math.inf

    def fill(self, amount: Decimal, now: datetime) -> None:
        for window in self.windows.values():
            window.fill(amount, now)


def next_month(at: datetime) -> datetime:
    """The same day and hour one month later, on the last day where the month is shorter."""
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    for day in (at.day, 30, 29, 28):
        try:
            return at.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def percent(ratio: Decimal) -> int:
    """A ratio on the vendor's percent scale, whole numbers."""
    return int((ratio * 100).quantize(Decimal(1), ROUND_HALF_UP))
