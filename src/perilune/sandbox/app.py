"""The application: takes each request through journal, faults and routes, and has the answer delivered."""

import asyncio
import logging
import math
from typing import TYPE_CHECKING

from perilune.sandbox.accounts import Account, Membership, Organisation
from perilune.sandbox.faults import Fault
from perilune.sandbox.http.delivery import Delivery
from perilune.sandbox.http.protocol import Connection
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.http.request import Request
from perilune.sandbox.journal import Recorded, fingerprint, masked
from perilune.sandbox.refusals import Refused
from perilune.sandbox.routes.call import Call, bearer
from perilune.sandbox.routes.control import PREFIX, control
from perilune.sandbox.routes.finish import dress, faulty, refuse_with
from perilune.sandbox.routes.keyring import owner_of
from perilune.sandbox.routes.table import Route, find, is_base, split
from perilune.sandbox.tickets import Ticket
from perilune.sandbox.world import World

if TYPE_CHECKING:
    from perilune.sandbox.forge.app import ForgeApp

log = logging.getLogger(__name__)
_NO_FAULT = Fault()
_SETTLE_S = 0.01


class SandboxApp:
    """Answers for all played hosts out of one world."""

    def __init__(self, world: World, forges: "ForgeApp | None" = None) -> None:
        self.world = world
        self.forges = forges

    def strikes_head(self, request: Request) -> bool:
        """Whether a fault resets this connection before the body is read."""
        with self.world.lock:
            if not self.world.faults.wants_head():
                return False
            host, path = split(self.world, request.path)
            _, key = owner_of(self.world, bearer(request))
            fault = self.world.faults.next_for(host, path, request.method, key)
            if fault is None or fault.reset != "head" or fault.skip:
                return False
            self._open(request).entry.outcome = "reset"
            self.world.touch()
            return True

    async def respond(self, request: Request, wire: Connection) -> None:
        """Writes the answer. A client that leaves ends it."""
        if self.forges is not None and self.forges.serves(request.path):
            await self.forges.respond(request, wire)
            return
        if request.path.startswith(PREFIX):
            await self._deliver(control(self.world, request), request, wire)
            return
        if self._is_peak(request):
            # a client that has just left another connection must not be counted twice: its end may still be under way
            await asyncio.sleep(_SETTLE_S)
        await self._deliver(self._answer(request), request, wire)

    async def _deliver(self, reply: Reply, request: Request, wire: Connection) -> None:
        delivery = Delivery(reply, wire, hold=self._hold, is_head=request.method == "HEAD")
        outcome = "client-left"
        wire.on_lost = reply.ticket.give_back if reply.ticket is not None else None
        try:
            outcome = await delivery.run()
        except ConnectionResetError:
            outcome = "client-left"
        finally:
            wire.on_lost = None
            with self.world.lock:
                if reply.ticket is not None:
                    reply.ticket.give_back()
                if reply.entry is not None:
                    reply.entry.outcome = outcome
                self.world.touch()

    def _is_peak(self, request: Request) -> bool:
        """Whether this request would be one more at once than its account has ever had, or than it may have."""
        world = self.world
        with world.lock:
            host, path = split(world, request.path)
            route = find(world, host, path)
            if not _asks(route, request):
                return False
            name, _ = owner_of(world, bearer(request))
            traffic = world.traffic(name)
            return traffic.open_now > 0 and (
                traffic.open_now >= traffic.open_ever or traffic.admitted >= _cap(world.accounts.get(name))
            )

    def _hold(self) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not future.done():
                future.set_result(None)

        def let_go() -> None:
            loop.call_soon_threadsafe(finish)

        self.world.on_release(let_go)
        future.add_done_callback(lambda _: self.world.forget_release(let_go))
        return future

    def _answer(self, request: Request) -> Reply:
        with self.world.lock:
            call = self._open(request)
            route = find(self.world, call.host, call.path)
            ticket = Ticket(self.world.traffic(call.entry.account)) if _asks(route, request) else None
            try:
                reply = self._judged(call, route, ticket)
            except Exception:  # the loop boundary of one request: a fault of ours is answered and logged
                if ticket is not None:
                    ticket.give_back()
                log.exception("the sandbox failed on %s %s", request.method, call.path)
                reply = Reply.text("the sandbox itself failed; see its log", 500)
            dress(call, reply)
            reply.ticket, reply.entry, reply.fault = ticket, call.entry, call.fault
            call.entry.status = None if call.fault.reset is not None else reply.status
            self.world.touch()
            return reply

    def _open(self, request: Request) -> Call:
        """Enters the request into the journal and takes its fault."""
        world = self.world
        now = world.tick()
        host, path = split(world, request.path)
        entry = Recorded(
            number=0,
            at=now,
            method=request.method,
            host=host,
            path=path,
            query=request.query,
            headers=masked(request.headers),
            body_size=len(request.body),
            body=request.body.decode(errors="replace") if world.records_bodies else None,
            connection=request.connection,
            on_connection=request.on_connection,
        )
        call = Call(world=world, request=request, host=host, path=path, now=now, entry=entry, fault=_NO_FAULT)
        entry.account, entry.key = owner_of(world, call.secret)
        entry.fingerprint = fingerprint(call.secret)
        world.journal.open(entry)
        is_reused = request.on_connection > 1
        fault = world.faults.take(host, path, request.method, entry.key, is_reused=is_reused)
        if fault is not None:
            call.fault = fault
            entry.fault = fault.name or fault.refusal or fault.page or fault.reset or "fault"
        return call

    def _judged(self, call: Call, route: Route | None, ticket: Ticket | None) -> Reply:
        envelope = route.envelope if route else "chat"
        if call.fault.reset is not None:
            # the vendor never came to read it: nothing is counted
            return Reply()
        if call.fault.replaces_answer:
            return faulty(call, call.fault, envelope)
        if route is None:
            return self._unknown(call)
        if call.request.method != route.method:
            return Reply.text("405 method not allowed", 405)
        try:
            if route.ask is not None and ticket is not None:
                return route.ask(call, route.surface, ticket)
            return route.read(call) if route.read is not None else self._unknown(call)
        except Refused as refused:
            return refuse_with(call, refused.refusal, envelope)

    def _unknown(self, call: Call) -> Reply:
        if is_base(call.path) and call.request.method in ("GET", "HEAD"):
            status = self.world.behaviour.base_status
            return Reply.text("404 page not found" if status == 404 else "", status)
        return Reply.text("404 page not found", 404)


def _cap(account: Account | None) -> float:
    match account:
        case Membership():
            return account.parallel
        case Organisation():
            return account.effective_limits.concurrency
        case _:
            return math.inf


def _asks(route: Route | None, request: Request) -> bool:
    return route is not None and route.ask is not None and request.method == route.method
