"""Resets that are missing or have passed."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from perilune.quota.calendar import month_span_s
from perilune.quota.naming import MONTH
from perilune.quota.snapshot import Snapshot, Window

_FALLEN = Decimal("0.01")


def back_filled(snapshot: Snapshot, previous: Snapshot | None) -> Snapshot:
    """The snapshot with resets that the vendor left out and the previous snapshot knew.

    Only for a window in use whose use has not fallen, while the earlier reset is still ahead and the account is the
    same person's. Nothing is filled in at 0: such a window starts with the next request.
    """
    if previous is None or _changed_hands(previous, snapshot):
        return snapshot
    known = {window.id: window for window in previous.windows}
    windows = tuple(_filled(window, known.get(window.id), snapshot.fetched_at) for window in snapshot.windows)
    return msgspec.structs.replace(snapshot, windows=windows)


def as_of(windows: Sequence[Window], now: datetime) -> tuple[Window, ...]:
    """The windows at `now`: one whose reset has passed is of unknown use until it is read again."""
    return tuple(_unconfirmed(window) if has_passed(window, now) else window for window in windows)


def has_passed(window: Window, now: datetime) -> bool:
    """True when the reset of the window lies behind."""
    return window.resets_at is not None and window.resets_at <= now


def _changed_hands(previous: Snapshot, snapshot: Snapshot) -> bool:
    both_known = previous.identity is not None and snapshot.identity is not None
    return both_known and previous.identity != snapshot.identity


def _filled(window: Window, earlier: Window | None, now: datetime) -> Window:
    if earlier is None or window.resets_at is not None or not window.used_ratio or earlier.resets_at is None:
        return window
    has_fallen = earlier.used_ratio is not None and window.used_ratio < earlier.used_ratio - _FALLEN
    if has_fallen or earlier.resets_at <= now:
        return window
    span_s = month_span_s(earlier.resets_at, now) if window.id == MONTH else window.span_s
    return msgspec.structs.replace(window, resets_at=earlier.resets_at, span_s=span_s)


def _unconfirmed(window: Window) -> Window:
    return msgspec.structs.replace(
        window, used_ratio=None, used=None, remaining=None, is_reliable=False, has_conflict=False
    )
