"""Wires the reviewer: questions go through the gateway's core, answers into the store, quota comes from the board."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from time import monotonic

import msgspec

from perilune.catalog.prices import Tokens, cost
from perilune.compose.engine import Engine
from perilune.compose.previewing import Nothing, user_settings
from perilune.compose.processes import has_ended, this_process
from perilune.compose.quota_view import BoardQuota, Seen, review_route
from perilune.compose.review_learning import Lessons, StoredReservations
from perilune.compose.workbench import Workbench
from perilune.core.decoding import decoded
from perilune.core.errors import Problem
from perilune.core.money import Money
from perilune.dialects.form import Dialect, Request, ResponseFormat, StopReason, Text, Turn
from perilune.dialects.form import Text as TextPart
from perilune.dialects.translate import parse_answer
from perilune.gateway.admission import Priority
from perilune.gateway.call import Attempt as Tried
from perilune.gateway.call import Call, Reply
from perilune.gateway.clocks import Clocks
from perilune.gateway.slots import Slot
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.review.jobs.local import LocalRuns
from perilune.review.ports import (
    AnswerOutcome,
    Attempt,
    Deferred,
    ModelAnswer,
    ModelRequest,
    NoQuota,
    Refused,
    Usage,
)
from perilune.review.result import ReviewResult, RunStatus
from perilune.review.run import ReviewServices
from perilune.store.answers import Answers
from perilune.store.jobs import Jobs
from perilune.store.reviews import ReviewRow, save_review

_FIRST_S, _IDLE_S, _TOTAL_S, _QUEUE_S = 900.0, 180.0, 1200.0, 600.0
_PAUSES = frozenset({Is.QUOTA_SPENT, Is.BALANCE_EMPTY, Is.MEMBER_LAPSED, Is.RATE_TPD})
_PASSING = frozenset({Is.TRANSIENT, Is.BUSY, Is.NET_RESET, Is.STREAM_CUT, Is.GARBLED, Is.TIMEOUT_IDLE})
_RATES = frozenset({Is.RATE_RPM, Is.RATE_TPM, Is.RATE_CONCURRENCY, Is.RATE_OTHER})
_BREATH_S, _LONGEST_BREATH_S = 20.0, 90.0
_MILLION = Decimal(1_000_000)


class GatewayAnswerer:
    """Asks models through the same routes, leases and failover as everybody else."""

    def __init__(self, engine: Engine, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._engine = engine
        self._pause = pause
        self._lessons = Lessons(engine)
        self._slowly = asyncio.Lock()

    async def answer(self, request: ModelRequest) -> AnswerOutcome:
        """The answer to one question, or why there is none.

        Limits of a minute are waited out, one question at a time, so that what was refused does not come back at once.
        """
        reply, began, outcome = await self._asked(request)
        if _is_rate(reply):
            async with self._slowly:
                waited_s = 0.0
                while _is_rate(reply) and waited_s < _TOTAL_S:
                    breath_s = self._breath(reply)
                    await self._pause(breath_s)
                    waited_s += breath_s
                    reply, began, outcome = await self._asked(request)
        if isinstance(outcome, ModelAnswer):
            await self._lessons.learn(request, outcome, monotonic() - began)
        return outcome

    def _breath(self, reply: Reply) -> float:
        """Seconds until a rate is free again, as far as that is known."""
        at = reply.problem.retry_at if reply.problem is not None else None
        left = _BREATH_S if at is None else (at - self._engine.bench.now()).total_seconds() + 0.5
        return min(max(left, 1.0), _LONGEST_BREATH_S)

    async def _asked(self, request: ModelRequest) -> tuple[Reply, float, AnswerOutcome]:
        """One try, when it began, and what it came to."""
        began = monotonic()
        core = self._engine.gateway.core
        call = Call(
            front=Dialect.CHAT,
            body=b"",
            owner="review",
            priority=Priority.REVIEW,
            clocks=_clocks(core.setup.clocks),
            route=review_route(core.setup.routes, request.route).name,
            purpose="review",
            run=request.run,
            unit=request.unit,
            stage=request.pass_name,
        )
        reply = await core.ask(_form(request), call)
        return reply, began, self._outcome(reply)

    def _outcome(self, reply: Reply) -> AnswerOutcome:
        attempts = tuple(_attempt(one) for one in reply.attempts if one.was_sent)
        if reply.status == 200:
            return self._answer(reply, attempts)
        problem = reply.problem or Problem(code="PL-GW-DOWN")
        last = reply.attempts[-1].outcome if reply.attempts else None
        kinds = {one.outcome.kind for one in reply.attempts}
        if kinds and kinds <= _PAUSES:
            return Deferred(problem=problem, until=problem.retry_at, attempts=attempts)
        return Refused(
            problem=problem,
            is_content=Is.CONTENT_FILTERED in kinds,
            token_limit=last.limit if last is not None and last.kind is Is.CONTEXT_OVERFLOW else None,
            may_retry=last is not None and last.kind in _PASSING,
            attempts=attempts,
        )

    def _answer(self, reply: Reply, attempts: tuple[Attempt, ...]) -> ModelAnswer:
        answer = parse_answer(Dialect.CHAT, reply.body)
        used = reply.usage or answer.usage
        account = reply.account or ""
        slots = (one for route in self._engine.gateway.core.setup.routes.all for one in route.slots)
        slot = next((one for one in slots if one.account == account), None)
        return ModelAnswer(
            text="".join(part.text for part in answer.parts if isinstance(part, TextPart)),
            finish_reason="length" if answer.stop is StopReason.LENGTH else "stop",
            usage=Usage()
            if used is None
            else Usage(
                input_tokens=used.input_total,
                cached_tokens=used.cache_read,
                output_tokens=used.output_total,
                reasoning_tokens=used.reasoning,
            ),
            model=reply.served_model or answer.model,
            account=account,
            plan=slot.plan.id if slot is not None else None,
            cost=None if slot is None else cost_of(self._engine, slot, reply),
            attempts=attempts,
            request_id=reply.request_id,
        )


class StoredAnswers:
    """The reviewer's answer store over the database."""

    def __init__(self, answers: Answers, engine: Engine) -> None:
        self._answers = answers
        self._engine = engine

    async def get(self, key: str) -> ModelAnswer | None:
        """The answer that was bought for a key."""
        document = await asyncio.to_thread(self._answers.get, key)
        return None if document is None else decoded(document, ModelAnswer)

    async def put(self, key: str, answer: ModelAnswer) -> None:
        """Keep an answer before anything is done with it."""
        document = msgspec.json.encode(answer)
        await asyncio.to_thread(self._answers.put, key, answer.request_id or "", document, self._engine.bench.now())


def engine_quota(engine: Engine, route: str | None = None) -> BoardQuota:
    """What is left, as the running engine knows it."""
    seen = Seen(
        routes=lambda: engine.gateway.core.setup.routes,
        board=engine.board,
        catalogue=engine.catalogue,
        cap=lambda group: engine.admission.state(group).cap,
        now=engine.bench.now,
        facts=engine.monitoring.run_facts,
        reread=partial(reread, engine),
    )
    return BoardQuota(seen, route)


async def reread(engine: Engine, accounts: Sequence[str]) -> None:
    """Read accounts anew with free calls; one that fails keeps its last reading."""
    await engine.monitoring.read_side_by_side(accounts)
    engine.learn_of(await asyncio.to_thread(engine.monitoring.held))


def cost_of(engine: Engine, slot: Slot, reply: Reply) -> Money | None:
    """What an answer cost in money; None for plan quota, unknown use, and where there is no price."""
    used = reply.usage
    if slot.costs_quota or slot.region is None or used is None or reply.served_model is None:
        return None
    price = engine.catalogue.price(slot.plan.id, reply.served_model, slot.region.currency, engine.bench.now())
    if price is None or used.input_total is None or used.output_total is None:
        return None
    tokens = Tokens(
        input_total=used.input_total,
        output_total=used.output_total,
        cache_read=used.cache_read or 0,
        cache_write=used.cache_write or 0,
    )
    return cost(tokens, price)


def _is_rate(reply: Reply) -> bool:
    """Whether nothing but a rate stood in the way."""
    kinds = {one.outcome.kind for one in reply.attempts}
    return reply.status != 200 and bool(kinds) and kinds <= _RATES


def _clocks(configured: Clocks) -> Clocks:
    replace = msgspec.structs.replace
    return replace(configured, first_content_s=_FIRST_S, idle_s=_IDLE_S, total_s=_TOTAL_S, queue_s=_QUEUE_S)


def _form(request: ModelRequest) -> Request:
    thinking: dict[str, bytes] = {}
    if request.thinking == "off":
        thinking["thinking"] = b'{"type":"disabled"}'
    elif request.thinking is not None:
        thinking["reasoning_effort"] = msgspec.json.encode(request.thinking)
    schema = ResponseFormat(
        kind="json_schema",
        schema=msgspec.json.encode(dict(request.schema)),
        name=request.schema_name,
        strict=True,
    )
    return Request(
        model="review",
        system=(Text(request.system),),
        turns=(Turn(role="user", parts=(Text(request.user),), is_text=True),),
        max_output=request.max_output_tokens,
        thinking=thinking,
        response_format=schema if request.schema else None,
        stream=False,
    )


def _attempt(tried: Tried) -> Attempt:
    return Attempt(
        account=tried.account,
        model=tried.model or "",
        outcome=tried.outcome.kind.value,
        took_s=(tried.total_ms or 0) / 1000,
    )


async def keep_review(engine: Engine, result: ReviewResult, title: str) -> None:
    """Keep a finished review in short, and say that there is one."""
    counts: dict[str, int] = {}
    for finding in result.findings:
        counts[finding.severity.value] = counts.get(finding.severity.value, 0) + 1
    row = ReviewRow(
        id=result.run_id,
        started_at=result.generated_at,
        status=result.status.value,
        title=title,
        findings=counts,
        requests=result.usage.requests,
        took_s=result.seconds,
    )

    def write() -> None:
        with engine.store.begin() as connection:
            save_review(connection, row)

    await asyncio.to_thread(write)
    if result.status in (RunStatus.COMPLETE, RunStatus.PARTIAL):
        engine.happenings.note("review_done", result.generated_at, title=title, findings=len(result.findings))


@contextlib.asynccontextmanager
async def reviewing(bench: Workbench) -> AsyncIterator[ReviewServices]:
    """What a paid review on the command line works with."""
    if not bench.configuration().config.accounts:
        yield ReviewServices(answerer=None, quota=NoQuota(), answers=Nothing(), clock=bench.now)
        return
    engine = Engine(bench, bench.monitoring_now())
    try:
        yield ReviewServices(
            answerer=GatewayAnswerer(engine),
            quota=engine_quota(engine, engine.monitoring.config.review.route),
            answers=StoredAnswers(Answers(engine.store), engine),
            reservations=StoredReservations(engine),
            user=user_settings(engine.monitoring.config),
            local_secret=bench.vault.fingerprint_key,
            clock=bench.now,
            finished=lambda result: keep_review(engine, result, title_of(result)),
            runs=LocalRuns(Jobs(engine.store), this_process(), has_ended, bench.now),
        )
    finally:
        await engine.close()


def title_of(result: ReviewResult) -> str:
    """A review's short name: its one file, or how many there were."""
    paths = [item.path for item in result.coverage]
    return paths[0] if len(paths) == 1 else f"{result.source.kind}, {len(paths)} files"
