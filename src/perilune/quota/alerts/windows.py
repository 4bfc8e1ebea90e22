"""Alerts of a window: levels passed, and running out before its reset."""

from datetime import datetime, timedelta
from decimal import Decimal

from perilune.core.instants import to_rfc3339
from perilune.quota.alerts.model import Alert, AlertRules, WindowEdges
from perilune.quota.pace import Pace, pace_of
from perilune.quota.snapshot import Window

_LATER = timedelta(seconds=60)
_REARMS_BELOW = 5
_READINGS_NEEDED = 3


def window_alerts(
    account: str, window: Window, before: WindowEdges | None, read_at: datetime, rules: AlertRules
) -> tuple[WindowEdges, list[Alert]]:
    """What a new reliable reading of a window is worth telling. The first one is noted without a word."""
    ratio = window.used_ratio
    if ratio is None:
        raise ValueError("a reliable window has a ratio")
    passed = {level for level in rules.levels if ratio * 100 >= level}
    if before is None:
        return WindowEdges(ratio=ratio, resets_at=window.resets_at, passed=tuple(sorted(passed))), []
    is_new = _is_new_cycle(before, window, read_at)
    kept = set() if is_new else {level for level in before.passed if level - ratio * 100 < _REARMS_BELOW}
    readings = 1 if is_new else before.readings + 1
    pace = pace_of(window, read_at, rules.week) if rules.is_early_on else None
    is_early = _is_early(pace, before, readings)
    edges = WindowEdges(
        ratio=ratio,
        resets_at=window.resets_at or before.resets_at,
        passed=tuple(sorted(kept | passed)),
        readings=readings,
        is_early_told=is_early,
    )
    alerts = []
    if passed - kept:
        alerts.append(_alert(f"window_{max(passed - kept)}", account, window, read_at, ratio))
    if is_early and not before.is_early_told and pace is not None:
        alerts.append(_alert("runs_out_early", account, window, read_at, ratio, pace.empty_at))
    return edges, alerts


def _is_new_cycle(before: WindowEdges, window: Window, read_at: datetime) -> bool:
    """A later reset with lower use, or any later one once the known reset has passed."""
    if before.resets_at is None or window.resets_at is None or window.used_ratio is None:
        return False
    is_later = window.resets_at - before.resets_at > _LATER
    return is_later and (window.used_ratio < before.ratio or read_at >= before.resets_at)


def _is_early(pace: Pace | None, before: WindowEdges, readings: int) -> bool:
    """Whether it is told that the window runs out early: told again only after a reading said that it lasts."""
    if pace is None:
        return before.is_early_told
    return not pace.lasts and (before.is_early_told or readings >= _READINGS_NEEDED)


def _alert(
    kind: str, account: str, window: Window, at: datetime, ratio: Decimal, empty_at: datetime | None = None
) -> Alert:
    facts = {"label": window.label, "ratio": str(ratio)}
    if window.resets_at is not None:
        facts["resets_at"] = to_rfc3339(window.resets_at)
    if empty_at is not None:
        facts["empty_at"] = to_rfc3339(empty_at)
    return Alert(kind=kind, at=at, account=account, window=window.id, facts=facts)
