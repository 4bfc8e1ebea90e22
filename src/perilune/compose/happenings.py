"""Happenings: changes worth a line, kept as facts and told to whoever listens."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from perilune.compose.background import Background
from perilune.core.instants import parse_instant, to_rfc3339
from perilune.core.messages import Voice
from perilune.faces.api.ports import EventDocument
from perilune.gateway.ports import Ledger
from perilune.gateway.record import AttemptRecord, PlainRecord, RequestRecord, records_of
from perilune.quota.alerts.model import Alert
from perilune.quota.alerts.text import alert_text
from perilune.store import events
from perilune.store.engine import Store
from perilune.store.rows import decoded

Publish = Callable[[str], None]
Hear = Callable[[str, datetime, str | None, Mapping[str, object]], None]


class Happenings:
    """Writes events behind and says that there are new ones."""

    def __init__(self, store: Store, background: Background, publish: Publish) -> None:
        self._store = store
        self._background = background
        self._publish = publish
        self._hear: Hear = lambda kind, at, account, facts: None

    def tell(self, hear: Hear) -> None:
        """Let somebody hear of every event, with its kind, moment, account and facts."""
        self._hear = hear

    def note(self, kind: str, at: datetime, account: str | None = None, **facts: object) -> None:
        """Keep one event. Facts are text, numbers, or instants."""
        plain = {name: to_rfc3339(value) if isinstance(value, datetime) else value for name, value in facts.items()}
        document = msgspec.json.encode(plain).decode()
        event = events.Event(at=at, kind=kind, account=account, document=document)

        def write() -> None:
            with self._store.begin() as connection:
                events.append(connection, event)

        self._background.submit(write)
        self._publish("events")
        self._hear(kind, at, account, plain)

    def latest(self, limit: int, voice: Voice) -> list[EventDocument]:
        """The newest events in the reader's words."""
        with self._store.read() as connection:
            found = events.recent(connection, limit)
        told = [(event, _words(event, voice)) for event in found]
        return [
            EventDocument(at=event.at, kind=event.kind, account=event.account, text=text)
            for event, text in told
            if text is not None
        ]


def _words(event: events.Event, voice: Voice) -> str | None:
    alert = decoded(event.document, Alert)
    if alert is not None:
        return alert_text(alert, replace(voice, now=event.at))
    facts: dict[str, object] = msgspec.json.decode(event.document)
    for name in ("until", "clock"):
        at = parse_instant(facts.get(name))
        if at is not None:
            facts[name] = voice.clock(at, round_up=True)
    if event.account is not None:
        facts["account"] = event.account
    try:
        return voice.say(f"event.{event.kind}", **facts)
    except KeyError:
        return None


class WatchedLedger:
    """A ledger that also notices when a route goes over to another slot, and back."""

    def __init__(
        self,
        ledger: Ledger,
        happenings: Happenings,
        publish: Publish,
        mains: Mapping[str, str],
        why: Callable[[str, datetime], str | None] = lambda account, now: None,
        served: Callable[[str, str], object] = lambda account, purpose: None,
    ) -> None:
        self._why = why
        self._served = served
        self._ledger = ledger
        self._happenings = happenings
        self._publish = publish
        self._mains = mains
        self._serving: dict[str, str] = {}
        self.served_at: dict[str, datetime] = {}

    def watch(self, mains: Mapping[str, str]) -> None:
        """The main account of each route, after a change of configuration."""
        self._mains = mains

    def record(self, request: RequestRecord, attempts: Sequence[AttemptRecord]) -> None:
        """Keep one request with its attempts."""
        self._ledger.record(request, attempts)
        if request.route is not None and request.account is not None and request.outcome == "ok":
            self.served_at[request.account] = request.ended_at
            self._served(request.account, request.purpose)
            self._notice(request, request.route, request.account, attempts)
        self._publish("gateway")

    def record_plain(self, plain: PlainRecord) -> None:
        """Keep a request that was answered at its first attempt."""
        fixed = plain.constant
        if self._serving.get(fixed.route) != fixed.account:
            self.record(*records_of(plain))
            return
        self._ledger.record_plain(plain)
        self.served_at[fixed.account] = plain.received_at
        self._served(fixed.account, "client")
        self._publish("gateway")

    def _notice(self, request: RequestRecord, route: str, account: str, attempts: Sequence[AttemptRecord]) -> None:
        main = self._mains.get(route)
        before = self._serving.get(route, main)
        self._serving[route] = account
        if main is None or before == account:
            return
        if account == main:
            self._happenings.note("route_back", request.ended_at, account, route=route)
            return
        code = next((attempt.code for attempt in attempts if attempt.account == main and attempt.code), None)
        code = code or self._why(main, request.ended_at)
        self._happenings.note("failover", request.ended_at, account, route=route, main=main, code=code or "–")
