"""Looking for alerts: what the store holds is judged, compared with what was told, and written in one transaction.

Several processes may look at one store: each alert is posted once, whoever looks first.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from perilune.core.ids import ulid
from perilune.quota.alerts.kinds import is_coalesced
from perilune.quota.alerts.model import Alert, AlertRules
from perilune.quota.alerts.rules import alerts_of
from perilune.quota.held import Held, Known
from perilune.quota.status import Judged, judge
from perilune.store import events, notices
from perilune.store.engine import Store
from perilune.store.notices import Notice
from perilune.store.rows import encoded

_COALESCED = timedelta(minutes=10)
_KEPT = timedelta(days=30)
_TICK = timedelta(milliseconds=1)


class Successor(Struct, frozen=True):
    """Where the requests of a spent account go."""

    account: str
    costs_money: bool


class Watch(Struct, frozen=True, kw_only=True):
    """What is looked at and how.

    Shape: `held` reads the store; `channels` are the names of those that want an alert; `successor` is who serves in
    an account's place, by the verdicts of all.
    """

    known: Mapping[str, Known]
    rules: AlertRules
    held: Callable[[], Mapping[str, Held]]
    channels: Callable[[Alert], Sequence[str]]
    successor: Callable[[str, Mapping[str, Judged]], Successor | None] = lambda account, judged: None


def look(store: Store, watch: Watch, now: datetime) -> list[Alert]:
    """Post what has happened to any account since the last look, and return it. Runs in a thread."""
    posted: list[Alert] = []
    with store.begin() as connection:
        notices.wait_for_others(connection)
        judged = judge_all(watch.known, watch.held(), now)
        told = notices.all_edges(connection)
        for name, one in judged.items():
            edges, alerts = alerts_of(one, told.get(name), watch.rules)
            if edges != told.get(name):
                notices.save_edges(connection, name, edges, now)
            for alert in alerts:
                named = _with_successor(alert, watch, judged)
                notice = notice_of(named, now + len(posted) * _TICK)  # ids sort as the alerts were found
                if notices.post(connection, notice, watch.channels(named), _COALESCED):
                    posted.append(named)
                    events.append(connection, _event(named))
        if posted:
            notices.forget_before(connection, now - _KEPT)
    return posted


def tell(store: Store, watch: Watch, alert: Alert, now: datetime, once: str | None = None) -> bool:
    """Post one alert that somebody else noticed; `once` is what may be told only once. False when it was told."""
    with store.begin() as connection:
        notices.wait_for_others(connection)
        return notices.post(connection, notice_of(alert, now, once), watch.channels(alert), _COALESCED)


def judge_all(known: Mapping[str, Known], held: Mapping[str, Held], now: datetime) -> dict[str, Judged]:
    """Every account as it stands, those without any reading too."""
    return {name: judge(one, held.get(name, Held()), now) for name, one in known.items()}


def notice_of(alert: Alert, now: datetime, once: str | None = None) -> Notice:
    """The notice of an alert under an id of its own."""
    identity = ulid(int(now.timestamp() * 1000))
    subject = alert.facts.get("route") or alert.facts.get("host") or alert.account or ""
    topic = f"{alert.kind} {subject}" if is_coalesced(alert.kind) else None
    return Notice(id=identity, alert=alert, once=once or identity, topic=topic)


def _event(alert: Alert) -> events.Event:
    """The alert as the dashboard keeps it, with all its facts."""
    return events.Event(at=alert.at, kind=alert.kind, account=alert.account, document=encoded(alert))


def _with_successor(alert: Alert, watch: Watch, judged: Mapping[str, Judged]) -> Alert:
    if alert.kind not in ("spent", "balance_empty") or alert.account is None:
        return alert
    found = watch.successor(alert.account, judged)
    if found is None:
        return alert
    facts = alert.facts | {"other": found.account} | ({"other_costs": "money"} if found.costs_money else {})
    return replace(alert, facts=facts)
