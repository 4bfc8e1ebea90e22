"""What an attempt that was answered becomes: the reply, whole or as a stream, and what is remembered of it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from perilune.dialects.form import Answer
from perilune.gateway.answering import JSON_TYPE, STREAM_HEADERS, headers_to_client
from perilune.gateway.call import Attempt, Call, Reply
from perilune.gateway.choosing import Chooser, Place
from perilune.gateway.dispatch import Sent, Streaming
from perilune.gateway.failures import plain_outcome
from perilune.gateway.learning import learn_from
from perilune.gateway.setup import Services, Setup
from perilune.gateway.shaping import Corrections, Prepared, Shaper
from perilune.gateway.slots import Route, Slot
from perilune.gateway.stream import AnswerStream, broken_event
from perilune.gateway.tally import Tally
from perilune.gateway.thoughts import keep_thought
from perilune.gateway.turns import settle
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is


class Served(NamedTuple):
    """An answered attempt. `corrections` are what its request needed to be taken, None when it needed none."""

    place: Place
    prepared: Prepared
    attempt: Attempt
    sent: Sent
    corrections: Corrections | None


class Delivery:
    """Makes the reply of one request out of the attempt that was answered."""

    def __init__(
        self, services: Services, setup: Setup, call: Call, route: Route, tally: Tally, chooser: Chooser, shaper: Shaper
    ) -> None:
        self._services = services
        self._setup = setup
        self._call = call
        self._route = route
        self._tally = tally
        self._chooser = chooser
        self._shaper = shaper

    def streamed(self, served: Served, own_headers: list[tuple[str, str]]) -> Reply:
        """The reply to an attempt that streams; its chunks hold the lease until they end."""
        streaming = served.sent.streaming
        if streaming is None:
            raise AssertionError("an attempt that streams")
        reply = self._begun(served, STREAM_HEADERS, own_headers)
        reply.chunks = self._stream(served, streaming, reply)
        return reply

    async def reply(self, served: Served, own_headers: list[tuple[str, str]]) -> Reply:
        """The reply. What is not streamed is settled here."""
        sent = served.sent
        if sent.streaming is not None:
            return self.streamed(served, own_headers)
        is_stream = sent.whole is not None and sent.whole.is_stream
        reply = self._begun(served, STREAM_HEADERS if is_stream else (JSON_TYPE,), own_headers)
        whole = sent.whole
        if whole is None:
            raise AssertionError("an attempt without an outcome has an answer")
        reply.body = whole.body
        reply.usage = whole.usage
        settle(served.place.debit, whole.usage)
        reply.served_model = whole.served_model
        if whole.answer is not None:
            self._keep_thought(served, whole.answer)
            if self._services.thoughts is not None:
                await self._services.thoughts.written()
        self._tally.finish(200, Is.OK, None, usage=whole.usage, served=whole.served_model, bytes_out=len(whole.body))
        return reply

    def _begun(self, served: Served, kind: Sequence[tuple[str, str]], own_headers: list[tuple[str, str]]) -> Reply:
        self._remember(served)
        self._tally.slot = served.place.slot
        return Reply(
            status=200,
            headers=[*kind, *headers_to_client(served.sent.headers), *own_headers],
            request_id=self._tally.id,
            route=self._route.name,
            account=served.place.slot.account,
            attempts=self._tally.attempts,
        )

    def _stream(self, served: Served, streaming: Streaming, reply: Reply) -> AnswerStream:
        place, prepared, thoughts = served.place, served.prepared, self._services.thoughts

        def finished() -> None:
            collector = streaming.flow.answer
            if collector is not None and prepared.wants_thoughts:
                self._keep_thought(served, collector.answer())

        def ended(outcome: Outcome) -> None:
            try:
                if outcome.kind not in (Is.OK, Is.CLIENT_GONE):
                    self._services.counters.streams_broken += 1
                    agent = self._chooser.agent_product
                    learn_from(self._services, place.slot, place.surface, agent, prepared.model, outcome)
            finally:
                settle(place.debit, reply.usage)
                self._services.streams.discard(stream)
                self._services.states.give_back(place.permits)
                place.lease.release()

        explain = partial(
            broken_event, self._services, self._setup.language, self._call.front, streaming, self._tally.id
        )
        stream = AnswerStream(
            streaming,
            reply,
            served.attempt,
            self._tally,
            explain=explain,
            on_finished=finished,
            flush=thoughts.written if thoughts is not None and thoughts.is_shared and prepared.wants_thoughts else None,
            on_end=ended,
            prompt_tokens=lambda: self._shaper.prompt_tokens,
        )
        self._services.streams.add(stream)
        place.lease.on_lost = partial(stream.interrupt, plain_outcome(Is.CLIENT_GONE, code="PL-GW-STREAM"))
        return stream

    def _keep_thought(self, served: Served, answer: Answer) -> None:
        thoughts = self._services.thoughts
        if thoughts is not None and served.prepared.wants_thoughts:
            family = served.place.slot.ways.family
            body, session = self._shaper.body.bytes, self._tally.session
            keep_thought(thoughts, served.prepared.context, body, answer, family, session)

    def _remember(self, served: Served) -> None:
        """What a success tells of the slot: it is well, what its model needs, and that the session stays on it."""
        services, place = self._services, served.place
        slot = place.slot
        scopes = place.scopes or (() if services.states.is_calm else self._chooser.scopes_of(slot, place.surface))
        remember_success(services, self._route, slot, scopes, self._tally.session, services.now())
        if served.corrections is not None:
            now_s = asyncio.get_running_loop().time()
            services.live_traits.learn(slot.account, served.prepared.model, place.surface, served.corrections, now_s)


def remember_success(
    services: Services, route: Route, slot: Slot, scopes: tuple[str, ...], session: str | None, now: datetime
) -> None:
    """An answer came: the slot's scopes are well, its cap may grow, its reading is right, the session stays on it."""
    if not services.states.is_calm:
        services.states.succeeded(scopes)
    services.admission.succeeded(slot.group)
    services.accounts.served(slot.account, now)
    if session is not None and len(route.slots) > 1:
        is_main = slot is route.slots[0]
        services.stays.served(route.name, session, slot.name, now, is_main=is_main)
