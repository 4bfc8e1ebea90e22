"""What reviews hold of the accounts while they run, and what their answers teach for the next plan."""

import asyncio
from datetime import timedelta
from decimal import Decimal

from perilune.compose.engine import Engine
from perilune.core.numbers import plain
from perilune.review.plan.tokens import PRIOR_BYTES_PER_TOKEN
from perilune.review.plan.tokens import learned as ratio_after
from perilune.review.ports import Amounts, ModelAnswer, ModelRequest
from perilune.store import learned
from perilune.store.lessons import Learned
from perilune.store.reservations import Reservations
from perilune.store.run_facts import BYTES, SECONDS

_SPAN = timedelta(minutes=70)
_MEMORY = timedelta(days=90)


class StoredReservations:
    """Reservations of reviews over the store. They outlive the longest run a little, and then end by themselves."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept = Reservations(engine.store)

    async def reserve(self, run: str, wanted: Amounts, seen: Amounts) -> bool:
        """Hold amounts for a run; False where others hold something else by now than the plan has seen."""
        return await asyncio.to_thread(self._kept.reserve, run, wanted, seen, _SPAN, self._engine.bench.now())

    async def settle(self, run: str, left: Amounts) -> None:
        """Hold only what is still to come of a run."""
        await asyncio.to_thread(self._kept.settle, run, left, _SPAN, self._engine.bench.now())


class Lessons:
    """Bytes per token and seconds per request of each model, learned from answers: half old, half new."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def learn(self, request: ModelRequest, answer: ModelAnswer, took_s: float) -> None:
        """Take an answer into account for the next plan."""
        if answer.model is not None:
            await asyncio.to_thread(self._keep, request, answer, took_s, answer.model)

    def _keep(self, request: ModelRequest, answer: ModelAnswer, took_s: float, model: str) -> None:
        now = self._engine.bench.now()
        facts = self._engine.monitoring.run_facts(request.run)
        values = {SECONDS: _mean(facts.seconds.get(model), took_s)}
        billed = answer.usage.input_tokens
        if billed:
            before = facts.bytes_per_token.get(model, PRIOR_BYTES_PER_TOKEN)
            values[BYTES] = plain(round(ratio_after(before, request.size, billed), 6))
        with self._engine.store.begin() as connection:
            for name, value in values.items():
                lesson = Learned(scope=model, name=name, value=value, at=now, until=now + _MEMORY)
                learned.keep(connection, lesson)


def _mean(before: float | None, seen: float) -> str:
    return plain(round(Decimal(seen if before is None else (before + seen) / 2), 3))
