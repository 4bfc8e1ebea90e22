"""The rules over one account: what has happened since the edges were last written."""

from datetime import timedelta

from msgspec.structs import replace

from perilune.core.instants import to_rfc3339
from perilune.quota.alerts.blocks import block_alerts, is_unreachable
from perilune.quota.alerts.model import Alert, AlertRules, Edges, WindowEdges
from perilune.quota.alerts.money import money_alerts
from perilune.quota.alerts.windows import window_alerts
from perilune.quota.snapshot import Snapshot
from perilune.quota.status import Judged

_DOWN_AFTER = timedelta(minutes=10)


def alerts_of(judged: Judged, before: Edges | None, rules: AlertRules) -> tuple[Edges, tuple[Alert, ...]]:
    """What is worth telling of an account, and the edges that keep it from being told again.

    A picture older than the one that the edges were made of tells nothing. An old reading fires nothing but what a
    live refusal says.
    """
    edges = before or Edges()
    snapshot = judged.held.snapshot
    if snapshot is not None and edges.read_at is not None and snapshot.fetched_at < edges.read_at:
        return edges, ()
    edges, of_reading = _of_reading(judged, edges, rules)
    block, of_block = block_alerts(judged, edges.block)
    edges = replace(edges, block=block)
    edges, of_host = _of_host(judged, edges)
    of_reading = [alert for alert in of_reading if not _is_said_by_block(alert, judged)]
    return edges, (*of_block, *of_reading, *of_host)


def _is_said_by_block(alert: Alert, judged: Judged) -> bool:
    """A full window that blocks the account is told as spent, not as a level too."""
    is_full = any(one.id == alert.window and one.used_ratio and one.used_ratio >= 1 for one in judged.windows)
    return is_full and judged.verdict.usable is False


def _of_reading(judged: Judged, edges: Edges, rules: AlertRules) -> tuple[Edges, list[Alert]]:
    """What a reading that was not seen before says."""
    snapshot = judged.held.snapshot
    if snapshot is None or judged.is_old or edges.read_at == snapshot.fetched_at:
        return edges, []
    alerts: list[Alert] = []
    windows: dict[str, WindowEdges] = dict(edges.windows)
    for window in judged.windows:
        if window.is_reliable and window.used_ratio is not None:
            known = windows.get(window.id)
            windows[window.id], found = window_alerts(judged.known.name, window, known, snapshot.fetched_at, rules)
            alerts += found
    money = edges.money
    if snapshot.balance is not None:
        money, found = money_alerts(judged, snapshot.balance, money, rules)
        alerts += found
    if snapshot.drift and not edges.has_drift and edges.read_at is not None:
        alerts.append(_drifted(judged, snapshot))
    told = replace(edges, read_at=snapshot.fetched_at, windows=windows, money=money, has_drift=bool(snapshot.drift))
    return told, alerts


def _drifted(judged: Judged, snapshot: Snapshot) -> Alert:
    facts = {"vendor": judged.known.vendor or judged.known.plan, "fields": ", ".join(snapshot.drift)}
    return Alert(kind="drift", at=judged.now, account=judged.known.name, facts=facts)


def _of_host(judged: Judged, edges: Edges) -> tuple[Edges, list[Alert]]:
    """A host that has not answered for ten minutes, and its return."""
    failure, name = judged.held.failure, judged.known.name
    if failure is not None and is_unreachable(failure):
        since = edges.down_since or failure.at
        edges = replace(edges, down_since=since)
        if edges.is_down_told or judged.now - since < _DOWN_AFTER:
            return edges, []
        facts = {"host": failure.facts.get("host", name), "since": to_rfc3339(since)}
        down = Alert(kind="upstream_down", at=judged.now, account=name, facts=facts)
        return replace(edges, is_down_told=True), [down]
    answers = replace(edges, down_since=None, is_down_told=False)
    if failure is not None or not edges.is_down_told:
        return answers, []
    snapshot = judged.held.snapshot
    host = (snapshot.origin or "").partition("/")[0] if snapshot else ""
    return answers, [Alert(kind="upstream_up", at=judged.now, account=name, facts={"host": host or name})]
