"""What is left for whom: how much of a window or balance each priority leaves to those above it. Pure. Source: 6.6."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from perilune.gateway.admission import Priority
from perilune.quota.guard import Wanted, parse_wanted
from perilune.quota.pace import pace_of
from perilune.quota.snapshot import Snapshot, Window
from perilune.quota.workdays import WorkWeek

ANY, BALANCE = "*", "balance"
OLD_READING = timedelta(minutes=10)
_ALL_DAYS = WorkWeek()
Written = Mapping[Any, "str | dict[str, str]"]


class Floors(Struct, frozen=True):
    """The least that must be left, by priority and window; `*` is every window."""

    by_priority: dict[Priority, dict[str, Wanted]] = {}


class Short(Struct, frozen=True, kw_only=True):
    """Less is left than a priority may use. `window` is `balance` for money; `share` what is left, 0..1."""

    window: str
    left: str
    floor: str
    share: Decimal = Decimal(0)
    resets_at: datetime | None = None


def floors_of(written: Written, general: Written) -> Floors:
    """The floors of a slot: its own word for a priority, else the gateway's. Floors of nothing are left out."""
    found = {}
    for priority in Priority:
        text = written.get(priority.name.lower(), general.get(priority.name.lower()))
        each = {ANY: text} if isinstance(text, str) else dict(text or {})
        wanted = {window: least for window, one in each.items() if (least := parse_wanted(one)) and least.amount > 0}
        if wanted:
            found[priority] = wanted
    return Floors(found)


def short_of(snapshot: Snapshot, floors: Floors, priority: Priority, now: datetime) -> Short | None:
    """What keeps a priority from an account by its last reading, the tightest; an old or unsure reading never does."""
    wanted = floors.by_priority.get(priority)
    if wanted is None or is_old(snapshot, now):
        return None
    shorts = [*_of_windows(snapshot, wanted, now), *_of_balance(snapshot, wanted)]
    return min(shorts, key=lambda short: short.share, default=None)


def requests_left(snapshot: Snapshot, each: Mapping[str, Decimal], now: datetime) -> tuple[int, Window] | None:
    """How many requests the tightest window still takes; None where none is known to count or was seen to move.

    Shape: `each` is what one request was seen to take of a window, as a share, by window.
    """
    if is_old(snapshot, now):
        return None
    counting = []
    for window in _known(snapshot, now):
        if window.unit == "requests" and window.remaining is not None:
            counting.append((int(window.remaining), window))
        elif window.id in each and window.used_ratio is not None:
            counting.append((max(int((1 - window.used_ratio) / each[window.id]), 0), window))
    return min(counting, key=lambda pair: pair[0], default=None)


def used_by_each(earlier: Snapshot, later: Snapshot, count: int) -> dict[str, Decimal]:
    """What each of `count` requests took of every window that both readings have, in the same cycle."""
    before = {window.id: window for window in earlier.windows}
    found = {}
    for window in later.windows:
        was = before.get(window.id)
        if was is None or was.used_ratio is None or window.used_ratio is None or was.resets_at != window.resets_at:
            continue
        if window.is_reliable and window.used_ratio > was.used_ratio:
            found[window.id] = (window.used_ratio - was.used_ratio) / count
    return found


def lasts(snapshot: Snapshot | None, now: datetime) -> bool:
    """False where a window is known to run out before its reset at this rate."""
    if snapshot is None or is_old(snapshot, now):
        return True
    paces = (pace_of(window, now, _ALL_DAYS) for window in _known(snapshot, now))
    return all(pace is None or pace.lasts for pace in paces)


def holds_until(snapshot: Snapshot, now: datetime) -> datetime:
    """Until when an answer from this reading stays the same."""
    resets = (window.resets_at for window in snapshot.windows if window.resets_at is not None)
    return min((at for at in (*resets, snapshot.fetched_at + OLD_READING) if at > now), default=now + OLD_READING)


def is_old(snapshot: Snapshot, now: datetime) -> bool:
    """Whether a reading says nothing of now any more."""
    return now - snapshot.fetched_at > OLD_READING


def _known(snapshot: Snapshot, now: datetime) -> Iterator[Window]:
    for window in snapshot.windows:
        is_over = window.resets_at is not None and window.resets_at <= now
        if window.is_reliable and window.used_ratio is not None and not is_over:
            yield window


def _of_windows(snapshot: Snapshot, wanted: Mapping[str, Wanted], now: datetime) -> Iterator[Short]:
    for window in _known(snapshot, now):
        least = wanted.get(window.id, wanted.get(ANY))
        left = max(1 - (window.used_ratio or Decimal(0)), Decimal(0))
        if least is None or least.kind == "money":
            continue
        if least.kind == "share" and left <= least.amount:
            told = f"{left * 100:.0f}%"
        elif least.kind == "count" and window.remaining is not None and window.remaining <= least.amount:
            told = f"{window.remaining:.0f}"
        else:
            continue
        yield Short(window=window.id, left=told, floor=least.text, share=left, resets_at=window.resets_at)


def _of_balance(snapshot: Snapshot, wanted: Mapping[str, Wanted]) -> Iterator[Short]:
    balance, least = snapshot.balance, wanted.get(BALANCE, wanted.get(ANY))
    if balance is None or least is None or least.kind != "money" or least.currency != balance.currency:
        return
    if balance.available <= least.amount:
        yield Short(window=BALANCE, left=f"{balance.currency} {balance.available:.2f}", floor=least.text)
