"""The running service as the pages and the API see it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from perilune import __version__
from perilune.compose.engine import Engine, today
from perilune.compose.histories import asked_history
from perilune.compose.lease_view import closed_to, leases_document
from perilune.compose.ledger_view import ledger_row
from perilune.compose.reviews_view import reviews_document
from perilune.core.errors import Problem, StoreError
from perilune.core.messages import Language, Voice
from perilune.core.money import Money, MoneyDocument
from perilune.faces.api.ports import (
    AddedKey,
    EventDocument,
    LedgerDocument,
    Readiness,
    ReviewsDocument,
    RouteDocument,
    RoutesDocument,
    ServiceFacts,
    SlotDocument,
)
from perilune.gateway.admission import Priority
from perilune.gateway.slots import Route, Slot
from perilune.gateway.states import ScopeState
from perilune.monitor.counted import ReadCounts
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.quota.document import ErrorDocument, StatusDocument
from perilune.quota.forecast import ForecastDocument, forecast
from perilune.quota.history import HistoryDocument
from perilune.quota.stamp import is_proven
from perilune.store import events, ledger

_STATE_WORDS: dict[Is, str] = {
    Is.QUOTA_SPENT: "quota_spent",
    Is.BALANCE_EMPTY: "balance_empty",
    Is.AUTH_REFUSED: "auth_failed",
    Is.BANNED: "auth_failed",
    Is.PERMISSION: "auth_failed",
    Is.MEMBER_LAPSED: "auth_failed",
    Is.CLIENT_GATED: "client_gated",
    Is.NET_DNS: "unreachable",
    Is.NET_TLS: "unreachable",
    Is.NET_CONNECT: "unreachable",
    Is.NET_PROXY: "unreachable",
    Is.MODEL_UNKNOWN: "misconfigured",
    Is.MODEL_DENIED: "misconfigured",
    Is.ENDPOINT_UNKNOWN: "misconfigured",
}
_BLOCK_WORDS = {"balance": "balance_empty", "credential": "auth_failed", "membership": "auth_failed"}
_A_DAY = timedelta(days=1)


class Running(Protocol):
    """The stack behind the service."""

    engine: Engine

    @property
    def config_problem(self) -> Problem | None:
        """Why the configuration file is not in use as it is now."""
        ...

    @property
    def read_counts(self) -> ReadCounts | None:
        """How the reads of accounts went; None where nothing is read."""
        ...

    async def read(self, account: str | None) -> object:
        """Read one account, or all, now."""
        ...


class LiveService:
    """Answers from memory and the store; every question to the database is asked in a thread."""

    def __init__(
        self,
        stack: Running,
        *,
        listen: Callable[[], str],
        is_demo: bool,
        wants_key: bool,
        add_key: Callable[[str], AddedKey],
    ) -> None:
        self._stack = stack
        self._listen = listen
        self._is_demo = is_demo
        self._wants_key = wants_key
        self._add_key = add_key

    @property
    def _engine(self) -> Engine:
        return self._stack.engine

    @property
    def facts(self) -> ServiceFacts:
        """What does not change while the service runs."""
        return ServiceFacts(
            version=__version__,
            listen=self._listen(),
            is_demo=self._is_demo,
            wants_key=self._wants_key,
            upstream=None if self._is_demo else self._engine.bench.environment.get("PERILUNE_UPSTREAM"),
        )

    def now(self) -> datetime:
        """This moment."""
        return self._engine.bench.now()

    async def status(self, language: Language) -> StatusDocument:
        """The status as the store has it."""
        return await asyncio.to_thread(self._status, language)

    def _status(self, language: Language) -> StatusDocument:
        monitoring = self._engine.monitoring
        now = self.now()
        if not monitoring.config.accounts:
            return StatusDocument(generated_at=now, accounts=[], errors=[])
        return monitoring.status((), self._voice(language))

    def _voice(self, language: Language) -> Voice:
        now = self.now()
        zone = now.astimezone().tzinfo
        return Voice(language=language, now=now) if zone is None else Voice(language=language, now=now, zone=zone)

    async def routes(self, language: Language) -> RoutesDocument:
        """Routes and slots now, with today's sums."""
        sums = await asyncio.to_thread(self._sums)
        routes = [self._route(route) for route in self._engine.gateway.core.setup.routes.all]
        problems = self._problems(self._voice(language))
        return msgspec.structs.replace(
            sums, routes=routes, problems=problems, leases=leases_document(self._engine.admission.backend)
        )

    def _problems(self, voice: Voice) -> list[ErrorDocument]:
        problem = self._stack.config_problem
        if problem is None:
            return []
        words = voice.explain(problem)
        told = voice.say("gateway.config_kept", problem=words.what)
        return [ErrorDocument(code=words.code, message=told, why=words.why, fix=list(words.fix))]

    def _sums(self) -> RoutesDocument:
        now = self.now()
        start, end = today(now), now + _A_DAY
        with self._engine.store.read() as connection:
            totals = ledger.totals(connection, start, end, by="account")
            return RoutesDocument(
                generated_at=now,
                listen=self._listen(),
                routes=[],
                requests_today=ledger.count_requests(connection, start, end),
                failovers_today=events.count(connection, "failover", start),
                first_content_p95_ms=ledger.first_content_percentile(connection, start, end),
                spent_today=_spent(totals),
            )

    def _route(self, route: Route) -> RouteDocument:
        slots = [self._slot(slot, position) for position, slot in enumerate(route.slots)]
        usable = [slot.state in ("ok", "untested", "standby") for slot in slots]
        for position, slot in enumerate(slots):
            if position and slot.state in ("ok", "untested") and any(usable[:position]):
                slots[position] = msgspec.structs.replace(slot, state="standby")
        return RouteDocument(name=route.name, match=list(route.config.match), slots=slots)

    def _slot(self, slot: Slot, position: int) -> SlotDocument:
        now = self.now()
        group = self._engine.admission.state(slot.group)
        state, reason, until = self._state_of(slot, now)
        stamp = self._engine.stamps.of(slot.account)
        return SlotDocument(
            account=slot.account,
            model=slot.config.model,
            role="main" if position == 0 else "fallback",
            position=position,
            state=state,
            reason=reason,
            until=until,
            in_flight=group.in_flight_all,
            cap=group.cap,
            queued=group.queued,
            thinking=slot.config.thinking,
            verified_by=stamp.by if stamp else None,
            verified_at=stamp.at if stamp else None,
            closed_to=closed_to(self._engine.gateway.core.services.room, slot, now),
        )

    def _state_of(self, slot: Slot, now: datetime) -> tuple[str, str | None, datetime | None]:
        open_state = self._open_state(slot)
        verdict = self._engine.board.verdict(slot.account, now)
        if verdict is not None and verdict.usable is False:
            return _BLOCK_WORDS.get(verdict.blocked_by or "", "quota_spent"), verdict.blocked_by, verdict.until
        if open_state is not None:
            return _STATE_WORDS.get(open_state.reason, "cooling"), open_state.reason.value, open_state.until
        services = self._engine.gateway.core.services
        stop = services.purse.stop(slot)
        if stop is not None:
            return "balance_empty", "spend_stop", stop.retry_at
        room = services.room.reason(slot, Priority.INTERACTIVE, now)
        if room is not None:
            return _BLOCK_WORDS.get(room.window or "balance", "quota_spent"), room.window or "balance", room.retry_at
        return ("ok" if is_proven(self._engine.stamps.of(slot.account)) else "untested"), None, None

    def _open_state(self, slot: Slot) -> ScopeState | None:
        wanted = (f"group:{slot.group}", f"account:{slot.account}", f"host:{slot.host}")
        own = (f"surface:{slot.account}/", f"slot:{slot.account}/")
        for state in self._engine.gateway.core.services.states.all():
            if state.scope in wanted or state.scope.startswith(own):
                return state
        return None

    async def ledger(self, limit: int) -> LedgerDocument:
        """The newest requests."""
        return await asyncio.to_thread(self._ledger, limit)

    def _ledger(self, limit: int) -> LedgerDocument:
        with self._engine.store.read() as connection:
            rows = ledger.recent(connection, limit)
        return LedgerDocument(generated_at=self.now(), requests=[ledger_row(row) for row in rows])

    async def events(self, limit: int, language: Language) -> list[EventDocument]:
        """The newest events in the reader's words."""
        return await asyncio.to_thread(self._engine.happenings.latest, limit, self._voice(language))

    async def reviews(self, limit: int) -> ReviewsDocument:
        """The newest reviews."""
        return await asyncio.to_thread(reviews_document, self._engine.store, limit, self.now())

    async def history(self, since: str, by: str, tz: str | None) -> HistoryDocument:
        """What was recorded since a moment, in the words of the query."""
        return await asyncio.to_thread(asked_history, self._engine.monitoring, self._engine.bench, since, by, tz)

    async def forecast(self, language: Language) -> ForecastDocument:
        """When each window and balance runs out."""
        return await asyncio.to_thread(self._forecast, language)

    def _forecast(self, language: Language) -> ForecastDocument:
        return forecast(self._status(language), self._engine.monitoring.histories())

    async def readiness(self) -> Readiness:
        """Whether store and configuration serve, and which slots could answer now."""
        slots = [slot for route in self._engine.gateway.core.setup.routes.all for slot in route.slots]
        now = self.now()
        usable = [slot.name for slot in slots if self._state_of(slot, now)[0] in ("ok", "untested")]
        try:
            await asyncio.to_thread(self._sums)
        except StoreError as error:
            return Readiness(ready=False, degraded=True, usable_slots=usable, problem=error.problem.code)
        except SQLAlchemyError:  # a database that answers, but not with our tables
            return Readiness(ready=False, degraded=True, usable_slots=usable, problem="PL-STORE-CORRUPT")
        if leases_document(self._engine.admission.backend).trouble is not None:
            return Readiness(ready=False, degraded=True, usable_slots=usable, problem="PL-NET-REFUSED")
        return Readiness(ready=True, degraded=not usable, usable_slots=usable)

    async def refresh(self, account: str | None) -> None:
        """Read one account, or all, now."""
        await self._stack.read(account)

    async def metrics(self) -> bytes:
        """One exposition of accounts, gateway and reviews."""
        from perilune.compose.metering import service_exposition

        status, routes = await self.status("en"), await self.routes("en")
        return await service_exposition(self._engine, status, routes, self._stack.read_counts)

    async def add_key(self, paste: str) -> AddedKey:
        """Try a pasted key and save it."""
        return await asyncio.to_thread(self._add_key, paste)


def _spent(totals: Sequence[ledger.Total]) -> list[MoneyDocument]:
    sums: dict[str, Money] = {}
    for total in totals:
        if total.cost is not None and total.currency is not None:
            money = Money(total.cost, total.currency)
            sums[total.currency] = sums[total.currency] + money if total.currency in sums else money
    return [MoneyDocument(money.amount_text(), money.currency) for money in sums.values()]
