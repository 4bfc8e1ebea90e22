"""From the fast lane to the general path: the same request, with its attempt as far as it has come."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING

from msgspec.structs import replace

from perilune.dialects.head import Body
from perilune.gateway.call import Attempt, Call, Reply
from perilune.gateway.choosing import Place
from perilune.gateway.core import Core
from perilune.gateway.dispatch import Begun, Sent, Streaming
from perilune.gateway.flow import RelayFlow
from perilune.gateway.intake import Receive, Scope, Send
from perilune.gateway.lane import plan
from perilune.gateway.lane.template import parts_of
from perilune.gateway.limits import Limits
from perilune.gateway.pump import Pump, head_bytes
from perilune.gateway.run import Run, UnderWay
from perilune.gateway.sending import send_reply
from perilune.gateway.server import Surface
from perilune.gateway.stream import AnswerStream
from perilune.gateway.tally import Counted, Tally
from perilune.net.upstream import ThinClient
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is

if TYPE_CHECKING:
    from perilune.gateway.lane.first import FirstAttempt

_UNDECIDED = Outcome(kind=Is.CLIENT_GONE)


def call_of(first: "FirstAttempt") -> Call:
    """The call that a request on the lane is."""
    facts = first.facts
    return Call(
        front=facts.front,
        body=first.body,
        headers=first.head.headers,
        owner=facts.owner,
        key_id=facts.key_id,
        priority=facts.priority,
    )


def hand_over(core: Core, surface: Surface, first: "FirstAttempt") -> None:
    """The general path goes on with the attempt; nothing of the answer has been used up."""
    call = call_of(first)
    tally, attempt = _tallied(core, first, call)
    first.vendor.watch(None)
    first.vendor.put_back(b"".join(first.taken))
    begun = Begun(connection=first.vendor, at=first.began) if first.is_sent else None

    def resumed() -> Coroutine[object, object, Reply]:
        run, under_way = _general(core, first, call, tally, attempt, begun)
        return run.go(under_way)

    async def go_on(scope: Scope, receive: Receive, send: Send) -> None:
        await surface.go_on(call, core.carried(tally, resumed()), scope, receive, send)

    first.client.hand_to(go_on)


def commit(
    core: Core, surface: Surface, client: ThinClient, first: "FirstAttempt", flow: RelayFlow, held: bytes, now_s: float
) -> None:
    """The first content of a stream is here: it begins, as the general path would begin it."""
    call = call_of(first)
    tally, attempt = _tallied(core, first, call)
    first.vendor.watch(None)
    exchange = client.exchange(first.way.target, first.vendor)
    streaming = Streaming(exchange=exchange, flow=flow, held=held, limits=limits_of(first))
    sent = Sent(streaming=streaming, headers=dict(first.vendor.headers), status=200, first_content_at=now_s)
    keeps_lease = False
    try:
        run, under_way = _general(core, first, call, tally, attempt, None)
        reply = run.adopt(under_way, sent)
        keeps_lease = True
    finally:
        if not keeps_lease:
            exchange.close()
            first.lease.release()
    stream = reply.chunks
    if not isinstance(stream, AnswerStream):
        raise TypeError("a stream that has just begun")
    try:
        surface.end_with_key(call, reply)
        Pump(stream, first.vendor, first.client).start(head_bytes(reply, first.client))
    except Exception as error:  # noqa: BLE001 the stream holds everything now, and ends with its client's connection
        surface.fault(call, error)
        stream.close()
        first.client.abort()


def abandon(core: Core, first: "FirstAttempt") -> None:
    """The client has left."""
    first.vendor.watch(None)
    first.vendor.close()
    try:
        core.services.counters.client_gone += 1
        tally, _ = _tallied(core, first, call_of(first))
        tally.finish(None, Is.CLIENT_GONE, None)
    finally:
        first.lease.release()


def fail(core: Core, surface: Surface, first: "FirstAttempt", error: Exception) -> None:
    """A fault of ours: the client is told, unless it has its answer, and nothing is kept."""
    if first.is_answered:
        surface.fault(call_of(first), error)
        return
    first.vendor.watch(None)
    first.vendor.close()
    first.lease.release()
    call = call_of(first)
    tally, _ = _tallied(core, first, call)
    tally.finish(500, Is.UNKNOWN, "PL-BUG")
    reply = surface.fault(call, error)

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        await send_reply(scope, send, reply)

    first.client.hand_to(told)


def limits_of(first: "FirstAttempt") -> Limits:
    """The clocks of the attempt."""
    return plan.limits_of(first.facts.clocks, first.chosen.slot, first.began, has_other=first.has_other)


def _tallied(core: Core, first: "FirstAttempt", call: Call) -> tuple[Tally, Attempt]:
    services, planned, slot = core.services, first.plan, first.chosen.slot
    tally = Tally(call, services.ledger, services.counters, first.received_at, Counted(first.id, first.began))
    tally.model_asked, tally.is_stream = planned.model_asked, planned.is_stream
    tally.session, tally.route = planned.session, planned.route.name
    attempt = Attempt(
        slot=slot.name,
        account=slot.account,
        model=first.way.model,
        surface=first.chosen.surface,
        outcome=_UNDECIDED,
        started_at=first.received_at,
        was_sent=True,
    )
    tally.take_over(attempt, first.way.prepared.adjusted, first.began)
    return tally, attempt


def _general(
    core: Core, first: "FirstAttempt", call: Call, tally: Tally, attempt: Attempt, begun: Begun | None
) -> tuple[Run, UnderWay]:
    way, parts = first.way, parts_of(first.body)
    if parts is None:
        raise AssertionError("a body that was taken apart before")
    run = Run(core.services, first.facts.setup, call, Body(first.body), first.plan.route, tally)
    prepared = replace(way.prepared, body=b"".join((way.before, parts[1], way.after)))
    place = Place(slot=first.chosen.slot, surface=first.chosen.surface, scopes=(), lease=first.lease)
    return run, UnderWay(place=place, prepared=prepared, attempt=attempt, begun=begun)
