"""The core: a call goes in, a reply comes out. The surface and callers inside the process use the same one."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime

from perilune.core.errors import Problem, RequestError
from perilune.dialects.errors import ErrorKind
from perilune.dialects.form import Request
from perilune.dialects.head import Body
from perilune.dialects.translate import print_request
from perilune.gateway.answering import own_headers
from perilune.gateway.call import Call, Reply
from perilune.gateway.endings import Endings
from perilune.gateway.failures import plain_outcome
from perilune.gateway.run import Run
from perilune.gateway.setup import Services, Setup
from perilune.gateway.slots import Route
from perilune.gateway.tally import Tally
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.quota.snapshot import Snapshot

_LAST_WORDS_S = 1.0
_FREE_READS = frozenset({Is.AUTH_REFUSED, Is.MEMBER_LAPSED, Is.PERMISSION})


class Core:
    """Answers calls over routes, leases and failover, and writes the ledger. `is_stopping`: it takes nothing new."""

    def __init__(self, services: Services, setup: Setup) -> None:
        self.services = services
        self._setup = setup
        self.is_stopping = False

    @property
    def setup(self) -> Setup:
        """The version of the configuration that new requests get."""
        return self._setup

    def reload(self, setup: Setup) -> None:
        """Swap the configuration; running requests keep theirs. Scopes of a changed key or host are cleared."""
        before, self._setup = self._setup, setup
        old = {slot.account: slot for route in before.routes.all for slot in route.slots}
        for route in setup.routes.all:
            for slot in route.slots:
                was = old.get(slot.account)
                if was is not None and (was.key != slot.key or was.host != slot.host):
                    self.cleared(slot.account, was.group)
                elif was is not None and was.group != slot.group:
                    self.services.states.close(f"group:{was.group}")

    async def answer(self, call: Call) -> Reply:
        """The reply to one call. Its chunks, if it has any, hold a lease until they are read to the end or closed."""
        services, setup = self.services, self._setup
        tally = Tally(call, services.ledger, services.counters, services.now())
        endings = Endings(services, setup, call.front, tally)
        if self.is_stopping:
            return endings.refused(Problem(code="PL-GW-SHUTDOWN"), ErrorKind.BUSY, _headers(tally))
        try:
            body = Body(call.body)
        except RequestError as error:
            return endings.refused(error.problem, ErrorKind.BAD_REQUEST, _headers(tally))
        tally.model_asked = body.head.model[:200]
        tally.is_stream = bool(body.head.stream)
        if body.head.previous_response_id is not None:
            problem = Problem(code="PL-UNSUPPORTED", variant="stored")
            return endings.refused(problem, ErrorKind.BAD_REQUEST, _headers(tally))
        route = self._route(setup, call, body.head.model)
        if route is None:
            return endings.refused(_no_route(setup, body.head.model), ErrorKind.MODEL, _headers(tally))
        return await self.carried(tally, Run(services, setup, call, body, route, tally).go())

    async def carried(self, tally: Tally, run: Coroutine[object, object, Reply]) -> Reply:
        """A run's reply; a run that ends without one is in the ledger too."""
        try:
            return await run
        except asyncio.CancelledError:
            self.services.counters.client_gone += 1
            tally.finish(None, Is.CLIENT_GONE, None)
            raise
        except BaseException:
            tally.finish(500, Is.UNKNOWN, "PL-BUG")
            raise

    async def ask(self, request: Request, call: Call) -> Reply:
        """As `answer`, for a request in the internal form; `call.front` says in which dialect the answer comes."""
        call.body = print_request(call.front, request)
        return await self.answer(call)

    def observed(self, snapshot: Snapshot, group: str, now: datetime) -> None:
        """A free read succeeded: evidence that closes scopes without an answer being spent."""
        states = self.services.states
        if states.is_quiet:
            return
        states.evidence(f"account:{snapshot.account}", _FREE_READS)
        if snapshot.balance is not None and snapshot.balance.available > 0:
            states.evidence(f"group:{group}", frozenset({Is.BALANCE_EMPTY}))
        verdict = self.services.accounts.verdict(snapshot.account, now)
        if snapshot.windows and verdict is not None and verdict.usable:
            states.evidence(f"group:{group}", frozenset({Is.QUOTA_SPENT}))

    def cleared(self, account: str, group: str) -> None:
        """A key, host, surface or model changed, or a person tested by hand: all scopes of the account close."""
        self.services.states.clear(
            (f"account:{account}", f"surface:{account}/", f"agent:{account}/", f"slot:{account}/", f"group:{group}")
        )

    async def drain(self, seconds: float) -> bool:
        """Take nothing new, let answers finish for so long, then end them with an error event; True when all did."""
        self.is_stopping = True
        self.services.admission.stop()
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self.services.counters.in_flight > 0 and loop.time() < until:  # noqa: ASYNC110 - a counter, not an event
            await asyncio.sleep(0.02)
        is_empty = self.services.counters.in_flight == 0
        for stream in list(self.services.streams):
            stream.interrupt(plain_outcome(Is.CLIENT_GONE, code="PL-GW-SHUTDOWN"))
        while self.services.streams and loop.time() < until + _LAST_WORDS_S:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        return is_empty

    def _route(self, setup: Setup, call: Call, model: str) -> Route | None:
        if call.route is not None:
            return setup.routes.named(call.route)
        return setup.routes.match(model)


def _headers(tally: Tally) -> list[tuple[str, str]]:
    """Ours, where no route has taken the request."""
    return own_headers(tally.id, None, None, 0, (), 0.0)


def _no_route(setup: Setup, model: str) -> Problem:
    if not any(route.slots for route in setup.routes.all):
        return Problem(code="PL-GW-ROUTE", variant="NONE")
    routes = ", ".join(f"{route.name} ({', '.join(route.config.match)})" for route in setup.routes.all)
    return Problem(code="PL-GW-ROUTE", facts={"model": model[:200], "routes": routes})
