"""A first attempt in flight: written at once, watched without a task, handed over when it is not a plain success."""

from collections.abc import Coroutine
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from perilune.dialects.content import usage_of_answer
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body
from perilune.gateway.admission import Lease
from perilune.gateway.call import Attempt, Call, Reply
from perilune.gateway.choosing import Place
from perilune.gateway.clocks import Clocks
from perilune.gateway.delivery import remember_success
from perilune.gateway.dispatch import HELD_BYTES, Begun, Sent, Streaming
from perilune.gateway.failures import plain_outcome
from perilune.gateway.flow import RelayFlow
from perilune.gateway.intake import Receive, Scope, Send
from perilune.gateway.lane.passing import JSON_HEAD, is_stream_type, passed_on
from perilune.gateway.lane.plan import Plan, SlotPlan, Way
from perilune.gateway.lane.template import Parts, parts_of
from perilune.gateway.limits import Limits, expect_next, first_limit
from perilune.gateway.pump import head_bytes, pump_of
from perilune.gateway.run import Run, UnderWay
from perilune.gateway.server import send_reply
from perilune.gateway.tally import Tally
from perilune.net.server import ServerConnection
from perilune.net.upstream import Connection, UpstreamError
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is

if TYPE_CHECKING:
    from perilune.gateway.lane.lane import Lane

_UNDECIDED = Outcome(kind=Is.CLIENT_GONE)
_OK = plain_outcome(Is.OK, status=200)


class FirstAttempt:
    """One request on the fast lane. It answers a client's connection and watches a vendor's."""

    __slots__ = (
        "_at",
        "_attempt",
        "_call",
        "_chosen",
        "_client",
        "_flow",
        "_held",
        "_is_sent",
        "_lane",
        "_lease",
        "_limits",
        "_plan",
        "_setup",
        "_taken",
        "_tally",
        "_vendor",
        "_way",
    )

    def __init__(
        self,
        lane: "Lane",
        client: ServerConnection,
        call: Call,
        plan: Plan,
        chosen: SlotPlan,
        way: Way,
        lease: Lease,
        vendor: Connection,
        now: datetime,
    ) -> None:
        services = lane.services
        self._lane = lane
        self._client = client
        self._call = call
        self._plan = plan
        self._chosen = chosen
        self._way = way
        self._lease = lease
        self._vendor = vendor
        self._setup = lane.core.setup
        self._flow: RelayFlow | None = None
        self._taken: list[bytes] = []
        self._held = b""
        self._is_sent = True
        tally = self._tally = Tally(call, services.ledger, services.counters, now)
        tally.model_asked, tally.is_stream = plan.model_asked, plan.is_stream
        tally.session, tally.route = plan.session, plan.route.name
        slot = chosen.slot
        self._attempt = Attempt(
            slot=slot.name,
            account=slot.account,
            model=way.model,
            surface=chosen.surface,
            outcome=_UNDECIDED,
            started_at=now,
            was_sent=True,
        )
        tally.open(self._attempt, way.prepared.adjusted)
        self._at = tally.opened_at

    def send(self, clocks: Clocks, parts: Parts, *, has_other: bool) -> None:
        """Write the request and watch for its answer."""
        way, vendor = self._way, self._vendor
        began = self._tally.began
        limits = self._limits = Limits(
            connect_s=clocks.connect_s,
            first_s=clocks.first_for(self._chosen.slot.config, 0) if has_other else None,
            answer_s=clocks.answer_s,
            idle_s=clocks.idle_s,
            until=began + clocks.total_s,
            commit_at=began + (clocks.client_s or clocks.total_s),
        )
        length = len(way.before) + len(parts.turns) + len(way.after)
        head = b"%bcontent-length: %d\r\n\r\n" % (way.head, length)
        self._client.answered_by(self)
        try:
            vendor.start(b"".join((head, way.before, parts.turns, way.after)), b"")
        except UpstreamError:
            self._is_sent = False
            self._hand_over()
            return
        seconds, clock = first_limit(limits, self._at, is_stream=self._plan.is_stream)
        vendor.expect_within(seconds, clock)
        vendor.watch(self)

    def progress(self) -> None:
        """The vendor's connection has something, or has ended."""
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 one broken request takes no other with it
            self._fail(error)

    def _look(self) -> None:
        vendor = self._vendor
        if not vendor.has_head:
            if vendor.failure is not None:
                self._hand_over()
        elif vendor.status != 200:
            self._hand_over()
        elif self._plan.is_stream:
            self._hold()
        else:
            self._gather()

    def gone(self) -> None:
        """The client has left: the vendor's connection closes and the lease is free in the same step."""
        self._vendor.watch(None)
        self._vendor.close()
        try:
            self._lane.services.counters.client_gone += 1
            self._tally.finish(None, Is.CLIENT_GONE, None)
        finally:
            self._lease.release()

    def pause(self) -> None:
        """Nothing has been written yet that a client could be slow with."""

    def resume(self) -> None:
        """As `pause`."""

    # -- a whole answer ----------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        vendor = self._vendor
        if vendor.failure is not None or is_stream_type(vendor.raw_headers):
            self._hand_over()
            return
        chunk = vendor.take()
        if not vendor.is_complete:
            if chunk:
                self._taken.append(chunk)
                expect_next(vendor, self._limits)
            return
        body = b"".join((*self._taken, chunk)) if self._taken else chunk
        model, usage = usage_of_answer(Dialect(self._chosen.surface), body)
        if (not model and usage is None) or b'"error"' in body:
            self._taken = [body]
            self._hand_over()
            return
        self._vendor.watch(None)
        passed = passed_on(vendor.raw_headers)
        self._lane.client.give_back(self._way.target, vendor)
        tally, slot, services = self._tally, self._chosen.slot, self._lane.services
        try:
            now_s = self._lane.loop.time()
            tally.close(self._attempt, now_s, None)
            self._attempt.outcome = _OK
            remember_success(services, self._plan.route, slot, self._chosen.scopes, self._plan.session)
            tally.slot = slot
            self._write(passed, body, tally.overhead_ms(now_s, 0.0))
            tally.finish(200, Is.OK, None, usage=usage, served=model or None, bytes_out=len(body))
        finally:
            self._lease.release()

    def _write(self, passed: bytes, body: bytes, overhead_ms: float) -> None:
        way, client = self._way, self._client
        head = b"%b%bx-perilune-request-id: %b\r\n%bx-perilune-overhead-ms: %.2f\r\n%bcontent-length: %d\r\n%b\r\n" % (
            JSON_HEAD,
            passed,
            self._tally.id.encode(),
            way.tail,
            overhead_ms,
            way.end,
            len(body),
            client.closing_line(),
        )
        client.write(head + body)
        client.finish()

    # -- a stream ----------------------------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Up to the first content nothing goes out, so that an error in its place can still be something else."""
        vendor = self._vendor
        if vendor.failure is not None or not is_stream_type(vendor.raw_headers):
            self._hand_over()
            return
        chunk = vendor.take()
        flow = self._flow = self._flow or RelayFlow(self._way.prepared)
        self._held += flow.feed(chunk)
        self._taken.append(chunk)
        is_over = vendor.is_complete and not flow.has_content
        if flow.failure is not None or flow.is_garbled or is_over or len(self._held) > HELD_BYTES:
            self._hand_over()
        elif flow.has_content:
            self._commit(flow, self._held)
        else:
            seconds, clock = first_limit(self._limits, self._at, is_stream=True)
            vendor.expect_within(seconds, clock)

    def _commit(self, flow: RelayFlow, held: bytes) -> None:
        """The first content is here: the stream begins, as the general path would begin it."""
        vendor, lane = self._vendor, self._lane
        vendor.watch(None)
        exchange = lane.client.exchange(self._way.target, vendor)
        streaming = Streaming(exchange=exchange, flow=flow, held=held, limits=self._limits)
        headers = dict(vendor.headers)
        sent = Sent(streaming=streaming, headers=headers, status=200, first_content_at=lane.loop.time())
        keeps_lease = False
        try:
            run, first = self._general(is_answered=True)
            reply = run.adopt(first, sent)
            keeps_lease = True
        finally:
            if not keeps_lease:
                exchange.close()
                self._lease.release()
        lane.surface.end_with_key(self._call, reply)
        pump = pump_of(reply, self._client)
        if pump is None:
            raise AssertionError("a stream that has just begun can be pumped")
        pump.start(head_bytes(reply, self._client))

    # -- anything else -----------------------------------------------------------------------------------------------

    def _hand_over(self) -> None:
        """The general path goes on with the attempt as it is: nothing of the answer has been used up."""
        self._vendor.watch(None)
        self._vendor.put_back(b"".join(self._taken))
        self._client.hand_to(self._go_on)

    async def _go_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = self._lane
        coming = lane.core.carried(self._tally, self._resumed())
        await lane.surface.go_on(self._call, coming, scope, receive, send)

    def _resumed(self) -> Coroutine[object, object, Reply]:
        run, first = self._general(is_answered=False)
        return run.go(first)

    def _general(self, *, is_answered: bool) -> tuple[Run, UnderWay]:
        body = Body(self._call.body)
        run = Run(self._lane.services, self._setup, self._call, body, self._plan.route, self._tally)
        chosen, way, parts = self._chosen, self._way, parts_of(self._call.body)
        if parts is None:
            raise AssertionError("a body that was taken apart before")
        prepared = replace(way.prepared, body=b"".join((way.before, parts.turns, way.after)))
        place = Place(slot=chosen.slot, surface=chosen.surface, scopes=(), lease=self._lease)
        begun = None if is_answered or not self._is_sent else Begun(connection=self._vendor, at=self._at)
        return run, UnderWay(place=place, prepared=prepared, attempt=self._attempt, begun=begun)

    def _fail(self, error: Exception) -> None:
        """A fault of ours: the client is told, and nothing is kept."""
        self._vendor.watch(None)
        self._vendor.close()
        self._lease.release()
        self._tally.finish(500, Is.UNKNOWN, "PL-BUG")
        reply = self._lane.surface.fault(self._call, error)

        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            await send_reply(scope, send, reply)

        self._client.hand_to(told)
