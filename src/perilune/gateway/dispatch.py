"""One attempt: a prepared body goes to one slot; back comes an outcome, a whole answer, or a stream past its gate.

Nothing is handed on before the first content (the commit point), so that an error in its place can still become a
failover. Source: gateway reference 5.3 and 5.4.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from perilune.core.errors import AnswerError
from perilune.dialects.content import usage_of_answer
from perilune.dialects.form import Answer
from perilune.dialects.stream import answer_to_stream
from perilune.dialects.target import Frame
from perilune.dialects.translate import parse_answer, print_answer
from perilune.dialects.usage import Usage
from perilune.gateway.failures import outcome_of, plain_outcome
from perilune.gateway.flow import Flows, Keeper, RelayFlow, TranslateFlow, is_error_object
from perilune.gateway.limits import Limits, expect_next, first_limit
from perilune.gateway.shaping import Prepared
from perilune.gateway.slots import Slot
from perilune.net.upstream import Connection, Exchange, Outgoing, Upstream, UpstreamError
from perilune.providers.contract.classify import classify, request_id_of
from perilune.providers.contract.outcome import Answered, Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.words import LARGEST_BODY

HELD_BYTES = 64 * 1024
LARGEST_ANSWER = 64 * 1024 * 1024


class Streaming(Struct, kw_only=True):
    """A stream past its gate: what was held, and where the rest comes from."""

    exchange: Exchange
    flow: Flows
    held: bytes
    limits: Limits


class Whole(Struct, kw_only=True):
    """A whole answer in the client's dialect."""

    body: bytes
    usage: Usage | None
    served_model: str | None
    answer: Answer | None = None
    is_stream: bool = False
    is_estimated: bool = False


class Sent(Struct, kw_only=True):
    """What came of an attempt. Shape: exactly one of `outcome` (a refusal), `streaming` and `whole` is set."""

    outcome: Outcome | None = None
    streaming: Streaming | None = None
    whole: Whole | None = None
    headers: dict[str, str] = {}
    status: int | None = None
    first_content_at: float | None = None


class Asking(Struct, kw_only=True):
    """What an attempt is made with."""

    slot: Slot
    prepared: Prepared
    headers: tuple[tuple[str, str], ...]
    frame: Frame
    limits: Limits
    wants_stream: bool
    counts: Callable[[], tuple[int, int | None]]
    models: tuple[str, ...] = ()


class Begun(Struct, kw_only=True):
    """An attempt whose request is on its way already. Units: `at` on the loop's clock."""

    connection: Connection
    at: float


class Dispatcher:
    """Makes attempts over one upstream client."""

    def __init__(self, upstream: Upstream, now: Callable[[], datetime]) -> None:
        self._upstream = upstream
        self._now = now

    async def send(self, asking: Asking, begun: "Begun | None" = None) -> Sent:
        """One attempt, or the rest of one that was begun elsewhere. Cancelling it closes the connection."""
        prepared, limits = asking.prepared, asking.limits
        began = asyncio.get_running_loop().time() if begun is None else begun.at
        request = Outgoing("POST", asking.slot.target(prepared.surface), asking.headers, prepared.body)
        seconds, clock = first_limit(limits, began, is_stream=prepared.is_stream)
        try:
            exchange = await self._upstream.send(
                request,
                connect_timeout_s=limits.connect_s,
                first_timeout_s=seconds,
                clock=clock,
                begun=None if begun is None else begun.connection,
            )
        except UpstreamError as error:
            return Sent(outcome=outcome_of(error, in_body=False))
        headers = dict(exchange.headers)
        try:
            sent = await self._received(asking, exchange, headers, began)
        except UpstreamError as error:
            exchange.close()
            sent = Sent(outcome=outcome_of(error, in_body=True, status=exchange.status))
        except BaseException:
            exchange.close()
            raise
        sent.headers = headers
        sent.status = exchange.status
        if sent.outcome is not None and sent.outcome.request_id is None:
            sent.outcome = _with_request_id(sent.outcome, headers)
        return sent

    async def _received(self, asking: Asking, exchange: Exchange, headers: dict[str, str], began: float) -> Sent:
        if not 200 <= exchange.status < 300:
            body = await _read_some(exchange)
            exchange.close()
            return Sent(outcome=self._classified(asking, exchange.status, headers, body))
        if "event-stream" in headers.get("content-type", ""):
            return await self._gated(asking, exchange, headers, began)
        body = await _read_whole(exchange, asking.limits)
        return self._whole(asking, headers, body)

    async def _gated(self, asking: Asking, exchange: Exchange, headers: dict[str, str], began: float) -> Sent:
        flow = self._flow(asking)
        held: list[bytes] = []
        held_bytes = 0
        while not flow.has_content and held_bytes <= HELD_BYTES:
            seconds, clock = first_limit(asking.limits, began, is_stream=True)
            exchange.expect_within(seconds, clock)
            chunk = await exchange.read()
            piece = flow.feed(chunk) if chunk else flow.end()
            held_bytes += len(chunk)
            if flow.failure is not None and not flow.has_content:
                exchange.close()
                return Sent(outcome=self._classified(asking, None, headers, flow.failure))
            if flow.is_garbled or (not chunk and not flow.has_content):
                exchange.close()
                return Sent(outcome=plain_outcome(Is.GARBLED if flow.is_garbled else Is.STREAM_CUT))
            held.append(piece)
        first_at = asyncio.get_running_loop().time()
        if asking.wants_stream:
            stream = Streaming(exchange=exchange, flow=flow, held=b"".join(held), limits=asking.limits)
            return Sent(streaming=stream, first_content_at=first_at)
        return await self._gathered(asking, exchange, headers, flow, first_at)

    async def _gathered(
        self, asking: Asking, exchange: Exchange, headers: dict[str, str], flow: Flows, first_at: float
    ) -> Sent:
        while True:
            expect_next(exchange, asking.limits)
            chunk = await exchange.read()
            flow.feed(chunk) if chunk else flow.end()
            if flow.failure is not None:
                exchange.close()
                refused = self._classified(asking, None, headers, flow.failure)
                return Sent(outcome=refused, first_content_at=first_at)
            if flow.is_garbled:
                exchange.close()
                return Sent(outcome=plain_outcome(Is.GARBLED), first_content_at=first_at)
            if not chunk:
                break
        if not flow.is_finished or not isinstance(flow, Keeper):
            return Sent(outcome=plain_outcome(Is.STREAM_CUT), first_content_at=first_at)
        whole = Whole(
            body=flow.whole(asking.prepared.context, asking.frame),
            usage=flow.collector.usage,
            served_model=flow.served_model,
            answer=flow.collector.answer(),
        )
        return Sent(whole=whole, first_content_at=first_at)

    def _flow(self, asking: Asking) -> Flows:
        prepared = asking.prepared
        if not asking.wants_stream:
            return Keeper(prepared.context.upstream)
        return RelayFlow(prepared) if prepared.is_relayed else TranslateFlow(prepared.context, asking.frame)

    def _whole(self, asking: Asking, headers: dict[str, str], body: bytes) -> Sent:
        prepared = asking.prepared
        context = prepared.context
        if is_error_object(body):
            return Sent(outcome=self._classified(asking, 200, headers, body[:LARGEST_BODY]))
        is_plain = prepared.is_relayed and not asking.wants_stream and not prepared.wants_thoughts
        try:
            if is_plain:
                model, usage = usage_of_answer(context.upstream, body)
                if not model and usage is None:
                    parse_answer(context.upstream, body)
                return Sent(whole=Whole(body=body, usage=usage, served_model=model or None))
            answer = parse_answer(context.upstream, body)
            if asking.wants_stream:
                out = answer_to_stream(context, body, asking.frame)
            else:
                out = body if prepared.is_relayed else print_answer(context, answer, asking.frame)
        except AnswerError:
            return Sent(outcome=self._classified(asking, 200, headers, body[:LARGEST_BODY]))
        whole = Whole(
            body=out,
            usage=answer.usage,
            served_model=answer.model or None,
            answer=answer,
            is_stream=asking.wants_stream,
        )
        return Sent(whole=whole)

    def _classified(self, asking: Asking, status: int | None, headers: dict[str, str], body: bytes) -> Outcome:
        in_flight, cap = asking.counts()
        answered = Answered(
            status=status,
            headers=headers,
            body=body,
            surface=asking.prepared.surface,
            in_flight=in_flight,
            cap=cap,
            models=asking.models,
            model=asking.prepared.model,
        )
        return classify(asking.slot.classifier, answered, self._now())


async def _read_some(exchange: Exchange) -> bytes:
    """The first 64 KiB of a refusal; what cannot be read of it is left out."""
    parts: list[bytes] = []
    size = 0
    try:
        exchange.expect_within(10, "idle")
        while size < LARGEST_BODY and (chunk := await exchange.read()):
            parts.append(chunk)
            size += len(chunk)
    except UpstreamError:
        pass
    return b"".join(parts)[:LARGEST_BODY]


async def _read_whole(exchange: Exchange, limits: Limits) -> bytes:
    parts: list[bytes] = []
    size = 0
    while chunk := await exchange.read():
        expect_next(exchange, limits)
        parts.append(chunk)
        size += len(chunk)
        if size > LARGEST_ANSWER:
            exchange.close()
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _with_request_id(outcome: Outcome, headers: dict[str, str]) -> Outcome:
    found = request_id_of(headers)
    return outcome if found is None else replace(outcome, request_id=found)
