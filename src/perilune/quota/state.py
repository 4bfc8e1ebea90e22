"""States: one word for a window, one for an account."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from perilune.quota.document import State
from perilune.quota.pace import Pace
from perilune.quota.resets import has_passed
from perilune.quota.snapshot import Balance, ReadFailure, Window
from perilune.quota.verdict import Verdict, is_spent

_LEAST_STALE = timedelta(minutes=15)
_INTERVALS_UNTIL_STALE = 3
_FAILURES_UNTIL_STALE = 2
_FEW_DAYS = 3


def is_outdated(fetched_at: datetime, now: datetime, interval_s: int, failure: ReadFailure | None) -> bool:
    """True when the last reading is too old, or reading has failed twice since."""
    limit = max(_INTERVALS_UNTIL_STALE * timedelta(seconds=interval_s), _LEAST_STALE)
    return now - fetched_at > limit or (failure is not None and failure.count >= _FAILURES_UNTIL_STALE)


def window_state(
    window: Window, pace: Pace | None, now: datetime, *, is_refused: bool, is_old: bool, high_ratio: Decimal
) -> State:
    """The word of one window; `window` is as of `now`."""
    if is_refused or is_spent(window, now):
        return "spent"
    if window.used_ratio is None:
        return "stale" if has_passed(window, now) else "unknown"
    if is_old:
        return "stale"
    is_high = window.is_reliable and (window.used_ratio >= high_ratio or (pace is not None and not pace.lasts))
    return "high" if is_high else "ok"


def balance_state(balance: Balance, days: Decimal | None, *, is_old: bool, floors: Mapping[str, Decimal]) -> State:
    """The word of a balance."""
    if balance.available <= 0:
        return "spent"
    if is_old:
        return "stale"
    floor = floors.get(balance.currency)
    is_low = (floor is not None and balance.available < floor) or (days is not None and days < _FEW_DAYS)
    return "high" if is_low else "ok"


def account_state(
    verdict: Verdict, parts: Sequence[State], *, has_snapshot: bool, has_failure: bool, is_old: bool
) -> State:
    """The word of an account: the first condition that holds."""
    if verdict.blocked_by == "credential" or (not has_snapshot and has_failure):
        return "error"
    if verdict.usable is False:
        return "spent"
    if not has_snapshot:
        return "unknown"
    known = [state for state in parts if state not in ("unknown", "stale")]
    if is_old or (not known and "stale" in parts):
        return "stale"
    return "high" if any(state in ("high", "spent") for state in known) else "ok" if known else "unknown"
