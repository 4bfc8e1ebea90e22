"""Alerts in the service: a look after every reading and refusal, and the courier that takes them to channels."""

import asyncio
import os
import platform
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from perilune.compose.accounts import known_of
from perilune.compose.watching import outlets_of, rules_of, successor_in, voice_of, zone_of
from perilune.core.messages import Voice
from perilune.monitor.alert import Watch, judge_all, look, tell
from perilune.monitor.notify.channels import Outlet
from perilune.monitor.notify.courier import Courier
from perilune.monitor.notify.messages import Name
from perilune.net.control import ControlClient
from perilune.quota.alerts.holding import still_holds
from perilune.quota.alerts.model import Alert

if TYPE_CHECKING:
    from perilune.compose.engine import Engine

_HEARD = frozenset({"failover", "budget_soft", "budget_hard", "review_done", "review_failed"})
_ONCE = "once"


class Alerting:
    """What the service tells people. Looks are made behind everything that was to be kept before them."""

    def __init__(self, engine: "Engine", client: ControlClient, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._client = client
        self._loop = loop
        self._bench = engine.bench
        self._outlets: list[Outlet] = []
        self._watch = self._watched()
        owner = f"{platform.node()} {os.getpid()} {secrets.token_hex(4)}"
        self._courier = Courier(
            engine.store,
            self,
            lambda: self._outlets,
            clock=self._bench.now,
            owner=owner,
            told=lambda: self._engine.publish("events"),
        )
        engine.happenings.tell(self._heard)

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._courier.run()

    def reload(self) -> None:
        """Take over accounts, rules and channels of the configuration as it is now."""
        self._watch = self._watched()
        self._courier.wake()

    def look(self) -> None:
        """Look for alerts soon; returns at once."""
        self._engine.background.submit(self._looked)

    def voice(self) -> Voice:
        """How the reader of notifications hears things now."""
        return voice_of(self._bench, self._engine.monitoring.config)

    @property
    def zone(self) -> tzinfo:
        """The zone of quiet hours."""
        return zone_of(self._bench, self._engine.monitoring.config)

    @property
    def name(self) -> Name:
        """How accounts are called in messages: A1, A2 … where names are hidden."""
        config = self._engine.monitoring.config
        if not config.alerts.hide_names:
            return str
        shown = {account.name: f"A{number}" for number, account in enumerate(config.accounts, start=1)}
        return lambda name: shown.get(name, "A")

    def holds(self, alerts: Sequence[Alert]) -> list[bool]:
        """Which delayed alerts still hold."""
        judged = judge_all(self._watch.known, self._watch.held(), self._bench.now())
        return [still_holds(alert, judged.get(alert.account or ""), self._watch.rules) for alert in alerts]

    def _watched(self) -> Watch:
        monitoring, bench = self._engine.monitoring, self._bench
        self._outlets = outlets_of(bench, monitoring.config, self._client)
        return Watch(
            known=known_of(monitoring),
            rules=rules_of(bench, monitoring.config),
            held=monitoring.held,
            channels=lambda alert: [outlet.name for outlet in self._outlets if outlet.wants(alert)],
            successor=successor_in(monitoring.config, bench.plans),
        )

    def _looked(self) -> None:
        if look(self._engine.store, self._watch, self._bench.now()):
            self._engine.publish("events")
            self._loop.call_soon_threadsafe(self._courier.wake)

    def _heard(self, kind: str, at: datetime, account: str | None, facts: Mapping[str, object]) -> None:
        """Something happened that is told to people too: a change of route, a budget, a review."""
        if kind not in _HEARD:
            return
        words = {name: str(value) for name, value in facts.items() if name != _ONCE and value is not None}
        alert = Alert(kind=kind, at=at, account=account, facts=words)
        once = None if facts.get(_ONCE) is None else str(facts[_ONCE])
        self._engine.background.submit(lambda: self._told(alert, once))

    def _told(self, alert: Alert, once: str | None) -> None:
        if tell(self._engine.store, self._watch, alert, self._bench.now(), once):
            self._loop.call_soon_threadsafe(self._courier.wake)
