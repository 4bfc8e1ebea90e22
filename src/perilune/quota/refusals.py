"""Live refusals: a vendor's no outranks every reading until its time, a success, or a reading of the next cycle."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from perilune.quota.snapshot import Refusal, Window

FULL = Decimal("0.99")
_LONGEST_UNKNOWN = timedelta(minutes=15)
_NEAREST = timedelta(minutes=1)
_LATER = timedelta(seconds=60)
_CODES = {"5h": "PL-QUOTA-5H", "7d": "PL-QUOTA-7D", "month": "PL-QUOTA-MONTH"}


def code_of(window_id: str | None) -> str:
    """The code of a spent window; of a refusal that no window explains when there is none."""
    return "PL-QUOTA-UNKNOWN" if window_id is None else _CODES.get(window_id, "PL-QUOTA-WINDOW")


def resolve(account: str, named: str | None, windows: Sequence[Window], at: datetime) -> Refusal:
    """What a quota refusal means: the window its sentence named, else the fullest-lasting full one of a fresh reading.

    Shape: `named` is the window id of the sentence, None when it said only "billing cycle". Until: the window's reset;
    unknown: the earliest reset at least a minute away, at most 15 minutes.
    """
    full = [window for window in windows if window.used_ratio is not None and window.used_ratio >= FULL]
    latest = max(full, key=lambda window: _reset_or_last(window, at), default=None)
    window_id = named or (None if latest is None else latest.id)
    chosen = next((window for window in windows if window.id == window_id), None)
    reset = chosen.resets_at if chosen else None
    until = reset if reset is not None and reset > at else _at_most(windows, at)
    return Refusal(account=account, kind="quota", code=code_of(window_id), at=at, window=window_id, until=until)


def in_force(refusals: Iterable[Refusal], windows: Sequence[Window], now: datetime) -> tuple[Refusal, ...]:
    """The refusals that still hold: not past their time, and not overtaken by a reading of a later cycle."""
    return tuple(r for r in refusals if (r.until is None or r.until > now) and not _is_overtaken(r, windows))


def contradicted(windows: Sequence[Window], refusals: Iterable[Refusal]) -> tuple[Window, ...]:
    """The windows with those that a refusal in force names marked unreliable; their numbers stay what they were."""
    refused = {refusal.window for refusal in refusals if refusal.kind == "quota"}
    return tuple(_doubted(window) if window.id in refused else window for window in windows)


def _doubted(window: Window) -> Window:
    disagrees = window.used_ratio is not None and window.used_ratio < 1
    return msgspec.structs.replace(window, is_reliable=False, has_conflict=window.has_conflict or disagrees)


def _is_overtaken(refusal: Refusal, windows: Sequence[Window]) -> bool:
    if refusal.window is None or refusal.until is None:
        return False
    window = next((window for window in windows if window.id == refusal.window), None)
    return window is not None and window.resets_at is not None and window.resets_at > refusal.until + _LATER


def _at_most(windows: Sequence[Window], at: datetime) -> datetime:
    ahead = [w.resets_at for w in windows if w.resets_at is not None and w.resets_at - at >= _NEAREST]
    return min([*ahead, at + _LONGEST_UNKNOWN])


def _reset_or_last(window: Window, at: datetime) -> datetime:
    return window.resets_at or at + timedelta(days=10_000)
