"""The forecast: how fast each window and balance goes, when it runs out, and how sure that is.

Built on the pace and the spending of the status document and on how many readings stand behind them. What rests on too
few readings is not said.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from statistics import median
from typing import Literal

from msgspec import Struct

from perilune.core.money import MoneyDocument
from perilune.quota.cycles import cycles
from perilune.quota.document import AccountDocument, BalanceDocument, ErrorDocument, StatusDocument, WindowDocument
from perilune.quota.samples import History, Sample

Confidence = Literal["high", "mid"]
SHORT_WINDOW = "5h"
_LONG_SPAN_S = 7 * 86_400
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SAME_CYCLE = timedelta(minutes=5)
_SURE: tuple[tuple[int, Decimal, Confidence], ...] = ((10, Decimal("0.10"), "high"), (3, Decimal("0.03"), "mid"))
_BALANCE_PERIOD = timedelta(days=7)
_FULL_ENOUGH = Decimal("0.2")
_CYCLES_ASKED, _CYCLES_NEEDED = 7, 3
_BEHIND, _HEADROOM = -0.15, 1.5


class WindowForecast(Struct, frozen=True, kw_only=True):
    """One window's future.

    Shape: rates are wall-clock; `allowed_per_hour` is what lets it last until its reset, in `unit` where it has counts.
    `confidence` None: too few readings, and then nothing is forecast. `full_windows_left` counts full short windows.
    """

    id: str
    label: str
    unit: str
    used_ratio: float | None
    remaining_ratio: float | None
    remaining: float | int | None
    rate_per_hour: float | None
    requests_per_hour: float | None
    allowed_ratio_per_hour: float | None
    allowed_requests_per_hour: float | None
    lasts: bool | None
    empty_at: datetime | None
    early_s: int | None
    resets_at: datetime | None
    span_s: int | None
    method: str | None
    probability: float | None
    confidence: Confidence | None
    readings: int
    full_windows_left: float | None = None
    headroom: float | None = None


class BalanceForecast(Struct, frozen=True, kw_only=True):
    """One balance's future."""

    available: MoneyDocument
    burn_per_day: MoneyDocument | None
    days_left: float | None
    empty_at: datetime | None
    confidence: Confidence | None
    readings: int


class AccountForecast(Struct, frozen=True, kw_only=True):
    """One account's future."""

    name: str
    plan: str
    region: str
    windows: list[WindowForecast]
    balance: BalanceForecast | None


class ForecastDocument(Struct, frozen=True, kw_only=True):
    """`perilune.forecast.v1`."""

    schema: Literal["perilune.forecast.v1"] = "perilune.forecast.v1"
    generated_at: datetime
    accounts: list[AccountForecast]
    errors: list[ErrorDocument]


def forecast(document: StatusDocument, histories: Mapping[str, History]) -> ForecastDocument:
    """The forecast of every account of a status."""
    accounts = [_account(account, histories.get(account.name, History()), document) for account in document.accounts]
    return ForecastDocument(generated_at=document.generated_at, accounts=accounts, errors=document.errors)


def confidence_of(readings: Sequence[Sample], span: timedelta) -> Confidence | None:
    """How sure a rate is: by how many readings stand behind it, over how much of the window."""
    if not readings:
        return None
    covered = max(one.at for one in readings) - min(one.first_at for one in readings)
    return _confidence(sum(one.readings for one in readings), covered, span)


def _confidence(count: int, covered: timedelta, span: timedelta) -> Confidence | None:
    share = Decimal(str(covered / span)) if span and count > 1 else Decimal(0)
    for least, least_share, word in _SURE:
        if count >= least and share >= least_share:
            return word
    return None


def of_cycle(samples: Sequence[Sample], resets_at: datetime | None) -> list[Sample]:
    """The readings of known use in the cycle that ends at `resets_at`."""
    if resets_at is None:
        return []
    return [
        sample
        for sample in samples
        if sample.used_ratio is not None and sample.resets_at and abs(sample.resets_at - resets_at) <= _SAME_CYCLE
    ]


def share_of_short_window(short: Sequence[Sample], long: Sequence[Sample], now: datetime) -> Decimal | None:
    """What one full short window takes of a long one: the median over the last completed ones; None below three."""
    shares = []
    for used, cycle in _completed(short, now)[-_CYCLES_ASKED:]:
        taken = _taken(long, cycle[0].first_at, cycle[-1].at)
        if taken is not None and taken > 0:
            shares.append(taken / used)
    return median(shares) if len(shares) >= _CYCLES_NEEDED else None


def _account(account: AccountDocument, history: History, document: StatusDocument) -> AccountForecast:
    at = account.fetched_at or document.generated_at
    windows = [_window(window, history, at, account) for window in account.windows]
    balance = None if account.balance is None else _balance(account.balance, history, at)
    return AccountForecast(
        name=account.name, plan=account.plan, region=account.region, windows=windows, balance=balance
    )


def _window(window: WindowDocument, history: History, at: datetime, account: AccountDocument) -> WindowForecast:
    samples = history.windows.get(window.id, ())
    readings = of_cycle(samples, window.resets_at)
    sure = confidence_of(readings, timedelta(seconds=window.span_s or 0)) if window.pace is not None else None
    pace = window.pace if sure is not None else None
    elapsed = _elapsed_h(window, at) if pace is not None else None
    left_h = None if window.resets_at is None else max((window.resets_at - at) / _HOUR, 0.0)
    rest = None if window.used_ratio is None else max(1 - window.used_ratio, 0.0)
    counts = window.unit == "requests" and window.used is not None and window.remaining is not None
    early = window.resets_at - pace.empty_at if pace and pace.empty_at and window.resets_at else None
    return WindowForecast(
        id=window.id,
        label=window.label,
        unit=window.unit,
        used_ratio=window.used_ratio,
        remaining_ratio=_rounded(rest),
        remaining=window.remaining,
        rate_per_hour=_over(window.used_ratio, elapsed),
        requests_per_hour=_over(window.used, elapsed) if counts else None,
        allowed_ratio_per_hour=_over(rest, left_h) if pace else None,
        allowed_requests_per_hour=_over(window.remaining, left_h) if counts and pace else None,
        lasts=pace.lasts if pace else None,
        empty_at=pace.empty_at if pace else None,
        early_s=None if early is None else int(early.total_seconds()),
        resets_at=window.resets_at,
        span_s=window.span_s,
        method=pace.method if pace else None,
        probability=pace.probability if pace else None,
        confidence=sure,
        readings=sum(one.readings for one in readings),
        full_windows_left=_full_windows(window, history, at, account),
        headroom=_headroom(window),
    )


def _elapsed_h(window: WindowDocument, at: datetime) -> float | None:
    if window.resets_at is None or window.span_s is None:
        return None
    elapsed = timedelta(seconds=window.span_s) - (window.resets_at - at)
    return elapsed / _HOUR if elapsed > timedelta(0) else None


def _full_windows(window: WindowDocument, history: History, at: datetime, account: AccountDocument) -> float | None:
    has_short = any(other.id == SHORT_WINDOW for other in account.windows)
    is_long = (window.span_s or 0) >= _LONG_SPAN_S
    if not (has_short and is_long and window.reliable) or window.used_ratio is None:
        return None
    share = share_of_short_window(history.windows.get(SHORT_WINDOW, ()), history.windows.get(window.id, ()), at)
    if share is None:
        return None
    rest = max(1 - Decimal(str(window.used_ratio)), Decimal(0))
    return float((rest / share).quantize(Decimal("0.1"), ROUND_FLOOR))


def _headroom(window: WindowDocument) -> float | None:
    """By how much more could be used without running out, where that is a lot."""
    pace, used = window.pace, window.used_ratio
    if pace is None or used is None or used - pace.expected_ratio >= _BEHIND or pace.expected_ratio >= 1:
        return None
    factor = (1 - used) / (1 - pace.expected_ratio)
    return round(factor, 1) if factor >= _HEADROOM else None


def _balance(balance: BalanceDocument, history: History, at: datetime) -> BalanceForecast:
    recent = sorted(moment for moment in history.balances if at - moment <= _BALANCE_PERIOD)
    covered = recent[-1] - recent[0] if recent else timedelta(0)
    sure = _confidence(len(recent), covered, _BALANCE_PERIOD) if balance.burn_per_day is not None else None
    days = balance.days_left if sure is not None else None
    return BalanceForecast(
        available=balance.available,
        burn_per_day=balance.burn_per_day,
        days_left=days,
        empty_at=at + timedelta(days=days) if days is not None and days < 36_500 else None,
        confidence=sure,
        readings=len(recent),
    )


def _completed(samples: Sequence[Sample], now: datetime) -> list[tuple[Decimal, Sequence[Sample]]]:
    """Cycles that are over and were used enough to say something, each with its use, oldest first."""
    return [
        (cycle.peak, cycle.samples)
        for cycle in cycles(samples)
        if cycle.peak is not None and cycle.peak >= _FULL_ENOUGH and cycle.resets_at is not None
        if cycle.resets_at <= now
    ]


def _taken(long: Sequence[Sample], start: datetime, end: datetime) -> Decimal | None:
    """How much of the long window went between two moments of one of its cycles."""
    first = _last_before(long, start)
    last = _last_before(long, end)
    if first is None or last is None or first.resets_at is None or last.resets_at is None:
        return None
    if abs(first.resets_at - last.resets_at) > _SAME_CYCLE or first.used_ratio is None or last.used_ratio is None:
        return None
    return last.used_ratio - first.used_ratio


def _last_before(samples: Sequence[Sample], at: datetime) -> Sample | None:
    known = [sample for sample in samples if sample.at <= at and sample.used_ratio is not None]
    return known[-1] if known else None


def _over(amount: float | None, hours: float | None) -> float | None:
    return None if amount is None or not hours else _rounded(amount / hours)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
