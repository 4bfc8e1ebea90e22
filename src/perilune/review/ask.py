"""Asks for answers: from the store where one was bought already, else within the budget, at most two tries more."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from msgspec import Struct

from perilune.core.errors import Problem
from perilune.review.meter import Bound, Meter
from perilune.review.ports import (
    Answerer,
    AnswerOutcome,
    AnswerStore,
    Deferred,
    ModelAnswer,
    ModelRequest,
    Refused,
)

MOST_RETRIES = 2


class Question(Struct, frozen=True):
    """A request and the key its answer is stored by."""

    key: str
    request: ModelRequest


class NotAsked(Struct, frozen=True):
    """A call that the budget had no room for."""


Outcome = AnswerOutcome | NotAsked


class Silence(Struct, frozen=True, kw_only=True):
    """A question that got no answer: refused, put off, or with neither not asked at all."""

    key: str
    refused: Refused | None = None
    deferred: Deferred | None = None

    @property
    def outcome(self) -> Outcome:
        return self.refused or self.deferred or NotAsked()


class Desk:
    """Where all calls of a run go through.

    Calls are admitted in the order given, as many as the upper bounds leave room for; the rest is looked at again when
    these have been counted. So what is asked does not depend on how many are asked at once.
    """

    def __init__(
        self,
        answerer: Answerer,
        store: AnswerStore,
        meter: Meter,
        concurrency: int,
        counted: Callable[[], Awaitable[None]],
        check: Callable[[], None],
    ) -> None:
        self._answerer = answerer
        self._store = store
        self._meter = meter
        self._counted = counted
        self._check = check
        self._places = asyncio.Semaphore(max(concurrency, 1))
        self._silent: dict[str, Outcome] = {}
        self.deferred: Deferred | None = None
        self.limit_reached = False

    @property
    def silences(self) -> tuple[Silence, ...]:
        """The questions without an answer, for a run that is taken up again after it has ended asking."""
        return tuple(_silence(key, outcome) for key, outcome in self._silent.items())

    def remember(self, silences: Sequence[Silence]) -> None:
        """What was not answered is not asked again: a review that may be published in part stays as it was."""
        self._silent = {silence.key: silence.outcome for silence in silences}
        self.deferred = next((silence.deferred for silence in silences if silence.deferred is not None), None)
        self.limit_reached = any(isinstance(outcome, NotAsked) for outcome in self._silent.values())

    async def ask_all(self, questions: Sequence[Question]) -> list[Outcome]:
        """An outcome for each question, in the same order."""
        outcomes = [await self._stored(question) or self._silent.get(question.key) for question in questions]
        waiting = [index for index, outcome in enumerate(outcomes) if outcome is None]
        while waiting and self.deferred is None:
            admitted = self._admitted([questions[index] for index in waiting])
            if not admitted:
                self.limit_reached = True
                break
            round_, waiting = waiting[: len(admitted)], waiting[len(admitted) :]
            answers = await asyncio.gather(
                *(self._ask(questions[index], bound) for index, bound in zip(round_, admitted, strict=True)),
            )
            for index, answer in zip(round_, answers, strict=True):
                outcomes[index] = answer
        settled = [self._settled(outcome) for outcome in outcomes]
        for question, outcome in zip(questions, settled, strict=True):
            if not isinstance(outcome, ModelAnswer):
                self._silent[question.key] = outcome
        return settled

    def _settled(self, outcome: Outcome | None) -> Outcome:
        if outcome is not None:
            return outcome
        return self.deferred if self.deferred is not None else NotAsked()

    async def _stored(self, question: Question) -> ModelAnswer | None:
        answer = await self._store.get(question.key)
        if answer is not None:
            self._meter.reuse()
        return answer

    def _admitted(self, questions: Sequence[Question]) -> list[Bound]:
        """The bounds of the first questions that fit together."""
        bounds: list[Bound] = []
        for question in questions:
            bound = self._meter.bound(question.request)
            if not self._meter.admit(bound):
                break
            bounds.append(bound)
        return bounds

    async def _ask(self, question: Question, bound: Bound) -> Outcome:
        async with self._places:
            outcome = await self._once(question, bound)
        tries = 0
        while isinstance(outcome, Refused) and outcome.may_retry and tries < MOST_RETRIES:
            tries += 1
            bound = self._meter.bound(question.request)
            if not self._meter.admit(bound):
                self.limit_reached = True
                return outcome
            async with self._places:
                outcome = await self._once(question, bound)
        return outcome

    async def _once(self, question: Question, bound: Bound) -> Outcome:
        if self.deferred is not None:
            self._meter.release(bound)
            return self.deferred
        self._check()
        outcome = await self._answerer.answer(question.request)
        answer = outcome if isinstance(outcome, ModelAnswer) else None
        if answer is not None:
            # Stored before it is read, so that it is not bought again if this process ends here.
            await self._store.put(question.key, answer)
        if isinstance(outcome, Deferred):
            self._stop(outcome)
            if not outcome.attempts:
                self._meter.release(bound)
                return outcome
        self._meter.settle(bound, answer, outcome.attempts, question.request.pass_name)
        await self._counted()
        return outcome

    def _stop(self, outcome: Deferred) -> None:
        """Nothing more is asked; the first reason stands."""
        if self.deferred is None:
            self.deferred = outcome


def _silence(key: str, outcome: Outcome) -> Silence:
    match outcome:
        case Refused():
            return Silence(key=key, refused=outcome)
        case Deferred():
            return Silence(key=key, deferred=outcome)
        case _:
            return Silence(key=key)


def problem_of(outcome: Outcome) -> Problem | None:
    """Why there is no answer."""
    match outcome:
        case Deferred() | Refused():
            return outcome.problem
        case _:
            return None


def until_of(outcome: Deferred | None) -> datetime | None:
    return outcome.until if outcome is not None else None
