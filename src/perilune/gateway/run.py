"""One request from its first slot to its answer: choose, admit, shape, send, and decide what an outcome leads to."""

import asyncio
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from perilune.core.errors import RequestError
from perilune.dialects.errors import ErrorKind
from perilune.dialects.head import Body
from perilune.dialects.target import Frame, Hooks
from perilune.gateway.admission.rates import Debit
from perilune.gateway.answering import headers_to_vendor, own_headers
from perilune.gateway.call import Attempt, Call, Reply
from perilune.gateway.choosing import Chooser, Full, Place, shaper_of
from perilune.gateway.clocks import LARGE_PROMPT_TOKENS, Clocks
from perilune.gateway.delivery import Delivery, Served
from perilune.gateway.dispatch import Asking, Begun, Sent
from perilune.gateway.endings import Endings
from perilune.gateway.failover import Move, Situation, Step, decide
from perilune.gateway.failures import plain_outcome
from perilune.gateway.learning import learn_from
from perilune.gateway.limits import Limits
from perilune.gateway.setup import Services, Setup
from perilune.gateway.shaping import Corrections, Prepared, with_correction
from perilune.gateway.slots import Route
from perilune.gateway.tally import Tally
from perilune.gateway.thoughts import session_of
from perilune.gateway.turns import take_turn
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is


class _Tries(Struct):
    """What happened on one slot so far."""

    count: int = 0
    was_requeued: bool = False
    was_corrected: bool = False
    corrections: Corrections | None = None


class UnderWay(Struct, kw_only=True):
    """A first attempt that was made elsewhere, as far as it has come. `begun` is None once it was answered."""

    place: Place
    prepared: Prepared
    attempt: Attempt
    begun: Begun | None = None


class Run:
    """One request. `go` gives its reply; the lease is given back in exactly one place, whatever ends the attempt."""

    def __init__(self, services: Services, setup: Setup, call: Call, body: Body, route: Route, tally: Tally) -> None:
        self._services = services
        self._setup = setup
        self._call = call
        self._body = body
        self._route = route
        self._tally = tally
        self._session = session_of(call.headers, body.head.prompt_cache_key)
        self._shaper = shaper_of(setup, call, body, self._session)
        tally.session = self._session
        tally.route = route.name
        self._chooser = Chooser(services, setup, call, route, self._shaper, self._session)
        tally.skips = self._chooser.skips
        self._clocks: Clocks = call.clocks or setup.clocks.for_client(call.headers)
        self._deadline = tally.began + self._clocks.total_s
        self._commit_at = tally.began + (self._clocks.client_s or self._clocks.total_s)
        self._tries: dict[str, _Tries] = {}
        self._unknowns = 0
        self._endings = Endings(services, setup, call.front, tally)
        self._delivery = Delivery(services, setup, call, route, tally, self._chooser, self._shaper)

    async def go(self, first: UnderWay | None = None) -> Reply:
        """The reply, after as many attempts as it takes. Cancelling ends the attempt and frees its lease at once."""
        loop = asyncio.get_running_loop()
        if self._services.thoughts is not None and first is None:
            await self._services.thoughts.fetch(self._call.front, self._body, self._session)
        while first is not None or self._tally.sent < self._setup.config.max_attempts:
            if first is None and loop.time() >= min(self._deadline, self._commit_at):
                self._tally.note_deadline(self._route.name)
                break
            place = first.place if first is not None else await self._place()
            if place is None:
                break
            if isinstance(place, Full):
                return self._endings.full(place, self._own_headers(None))
            reply, step = await self._attempt(place, first)
            first = None
            if reply is not None:
                return reply
            if step.move is Move.STOP or self._call.insists:
                break
            if step.wait_s:
                await asyncio.sleep(step.wait_s)
        attempts, window = self._tally.all_with(self._chooser.skips), self._chooser.least_window
        return self._endings.ended(self._route, self._shaper, attempts, window, self._own_headers(None))

    def adopt(self, first: UnderWay, sent: Sent) -> Reply:
        """The reply of a first attempt that was answered; its lease goes on with the reply's chunks."""
        self._closed(first.attempt, sent)
        first.attempt.outcome = plain_outcome(Is.OK, status=sent.status)
        served = Served(first.place, first.prepared, first.attempt, sent, None)
        return self._delivery.streamed(served, self._own_headers(first.place.slot.account))

    async def _place(self) -> Place | Full | None:
        return await self._chooser.place(min(self._deadline, self._commit_at), self._clocks)

    async def _attempt(self, place: Place, first: UnderWay | None = None) -> tuple[Reply | None, Step]:
        """One attempt with its lease; a stream takes the lease with it, everything else gives it back here."""
        keeps_lease = False
        try:
            tries = self._tries.setdefault(place.slot.name, _Tries())
            tries.count += 1
            if first is None:
                prepared = self._prepared(place, tries)
                turn = await self._turn(place)
                if isinstance(turn, Outcome):
                    self._chooser.pass_over(place.slot, turn)
                    return None, Step(Move.NEXT)
                place.debit = turn
                attempt, begun = self._opened(place, prepared), None
            else:
                prepared, attempt, begun = first.prepared, first.attempt, first.begun
            sent = await self._services.dispatcher.send(self._asking(place, prepared), begun)
            self._closed(attempt, sent)
            if sent.outcome is None:
                corrections = tries.corrections if tries.was_corrected else None
                reply = await self._served(place, prepared, attempt, sent, corrections)
                keeps_lease = reply.chunks is not None
                return reply, Step(Move.STOP)
            attempt.outcome = sent.outcome
            self._services.room.give_back(place.slot)
            if place.debit is not None:
                place.debit.refund()
            return None, self._after(place, prepared, sent.outcome, tries)
        except RequestError as error:
            refused = self._endings.refused(error.problem, ErrorKind.BAD_REQUEST, self._own_headers(None))
            return refused, Step(Move.STOP)
        finally:
            if not keeps_lease:
                self._services.states.give_back(place.permits)
                place.lease.release()

    async def _served(
        self, place: Place, prepared: Prepared, attempt: Attempt, sent: Sent, corrections: Corrections | None
    ) -> Reply:
        attempt.outcome = plain_outcome(Is.OK, status=sent.status)
        headers = self._own_headers(place.slot.account)
        return await self._delivery.reply(Served(place, prepared, attempt, sent, corrections), headers)

    async def _turn(self, place: Place) -> Debit | Outcome | None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        longest_s = max(min(self._deadline, self._commit_at) - began, 0.0)
        if self._services.rates.gate(place.slot.group) is not None and self._has_other(place):
            longest_s = min(self._clocks.patience_s, longest_s)
        model = self._chooser.model_of(place.slot)
        turn = await take_turn(self._services, self._tally, self._call, place.slot, model, self._shaper, longest_s)
        self._chooser.waited_s += loop.time() - began
        return turn

    def _prepared(self, place: Place, tries: _Tries) -> Prepared:
        slot, model = place.slot, self._chooser.model_of(place.slot)
        traits = self._services.accounts.traits(slot.account, slot.plan.id, model)
        if tries.corrections is None:
            now_s = asyncio.get_running_loop().time()
            tries.corrections = self._services.live_traits.of(slot.account, model, place.surface, now_s)
        thoughts = self._services.thoughts
        hooks = Hooks(
            seal=self._services.seal,
            recall=None if thoughts is None else thoughts.recall(self._session),
            family_of=None if thoughts is None else thoughts.family_of,
        )
        return self._shaper.prepare(slot, place.surface, traits, hooks, tries.corrections)

    def _opened(self, place: Place, prepared: Prepared) -> Attempt:
        attempt = Attempt(
            slot=place.slot.name,
            account=place.slot.account,
            model=prepared.model,
            surface=prepared.surface,
            outcome=Outcome(kind=Is.CLIENT_GONE),
            started_at=self._services.now(),
            was_sent=True,
        )
        self._tally.open(attempt, prepared.adjusted)
        return attempt

    def _asking(self, place: Place, prepared: Prepared) -> Asking:
        slot = place.slot
        snapshot = self._services.accounts.snapshot(slot.account)
        return Asking(
            slot=slot,
            prepared=prepared,
            headers=headers_to_vendor(
                slot,
                prepared.surface,
                self._call.headers,
                passes_agent=self._chooser.passes_agent,
                is_stream=prepared.is_stream,
            ),
            frame=Frame(seal=self._services.seal, created=int(self._tally.received_at.timestamp())),
            limits=self._limits(place),
            wants_stream=bool(self._body.head.stream),
            counts=partial(self._counts, slot.group),
            models=() if snapshot is None else snapshot.models,
        )

    def _counts(self, group: str) -> tuple[int, int | None]:
        state = self._services.admission.state(group)
        return state.in_flight, state.cap

    def _limits(self, place: Place) -> Limits:
        first_s = self._clocks.first_for(place.slot.config, self._shaper.tokens_above(LARGE_PROMPT_TOKENS))
        return Limits(
            connect_s=self._clocks.connect_s,
            first_s=first_s if self._call.insists or self._has_other(place) else None,
            answer_s=self._clocks.answer_s,
            idle_s=self._clocks.idle_s,
            until=self._deadline,
            commit_at=self._commit_at,
        )

    def _has_other(self, place: Place) -> bool:
        """True when another slot could still be asked."""
        if len(self._route.slots) == 1:
            return False
        return any(slot.name != place.slot.name for slot in self._chooser.usable())

    def _closed(self, attempt: Attempt, sent: Sent) -> None:
        now = asyncio.get_running_loop().time()
        self._tally.close(attempt, now, sent.first_content_at)

    def _after(self, place: Place, prepared: Prepared, outcome: Outcome, tries: _Tries) -> Step:
        """Learn from a refusal, then decide."""
        slot = place.slot
        if outcome.kind is Is.AUTH_REFUSED and slot.looks_like is not None:
            outcome = self._tally.attempts[-1].outcome = replace(outcome, code="PL-401-HOST")
        learned = learn_from(self._services, slot, place.surface, self._chooser.agent_product, prepared.model, outcome)
        if learned is not None and outcome.retry_at is None and learned.until is not None:
            outcome = self._tally.attempts[-1].outcome = replace(outcome, retry_at=learned.until)
        self._unknowns += outcome.kind is Is.UNKNOWN
        traits = self._services.accounts.traits(slot.account, slot.plan.id, prepared.model)
        corrected = with_correction(tries.corrections or Corrections(), outcome.parameter, traits)
        step = decide(outcome.kind, self._situation(place, outcome, tries, can_correct=corrected is not None))
        return self._prepare_for(step, place, outcome, tries, corrected)

    def _situation(self, place: Place, outcome: Outcome, tries: _Tries, *, can_correct: bool) -> Situation:
        loop = asyncio.get_running_loop()
        route = self._route.config
        return Situation(
            tries=tries.count,
            any_byte=outcome.status is not None and outcome.status < 300,
            retry_after_s=outcome.retry_after_s,
            remaining_s=min(self._deadline, self._commit_at) - loop.time(),
            rate_wait_s=self._clocks.rate_wait_s,
            rate_rule=route.on_rate_limit,
            policy=route.policy.get(outcome.kind.value),
            jitter=self._services.jitter(),
            was_corrected=tries.was_corrected,
            can_correct=can_correct,
            can_speak_messages=place.surface == "chat" and "messages" in place.slot.plan.surfaces,
            was_requeued=tries.was_requeued,
            others_in_flight=self._services.admission.state(place.slot.group).in_flight - 1,
            unknowns=self._unknowns,
            has_next=self._has_other(place),
        )

    def _prepare_for(
        self, step: Step, place: Place, outcome: Outcome, tries: _Tries, corrected: Corrections | None
    ) -> Step:
        chooser, slot = self._chooser, place.slot
        match step.move:
            case Move.SAME | Move.AS_MESSAGES:
                chooser.again = slot
            case Move.REQUEUE:
                tries.was_requeued = True
                chooser.again, chooser.at_head = slot, True
            case Move.CORRECTED:
                tries.was_corrected, tries.corrections = True, corrected
                chooser.again = slot
            case Move.LARGER:
                traits = self._services.accounts.traits(slot.account, slot.plan.id, chooser.model_of(slot))
                window = outcome.limit or (traits.context if traits is not None else None) or 0
                if outcome.kind is Is.CONTEXT_OVERFLOW:
                    chooser.least_window = max(chooser.least_window, window, outcome.need or 0)
                chooser.done.add(slot.name)
            case Move.NEXT | Move.STOP:
                chooser.done.add(slot.name)
                chooser.asked.add((slot.account, chooser.model_of(slot)))
        return step

    def _own_headers(self, account: str | None) -> list[tuple[str, str]]:
        tally = self._tally
        overhead = tally.overhead_ms(asyncio.get_running_loop().time(), self._chooser.waited_s)
        return own_headers(tally.id, self._route.name, account, tally.sent, tally.adjusted, overhead)
