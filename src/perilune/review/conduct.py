"""Stages 8 to 14: every unit asked, answers placed, verified, proven and ranked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from msgspec import structs

from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.patches.finding import Finding
from perilune.review.ask import Desk, Silence, until_of
from perilune.review.check import Means, Verified, definitions_of, verify
from perilune.review.coverage import CoverageState, Ledger, of_parts
from perilune.review.findings import Placed, place_all, secret_findings, without_a_place
from perilune.review.generate import Gathered, Generation, Policy
from perilune.review.merge import Voiced, merge
from perilune.review.meter import Meter
from perilune.review.plan.holding import Hold, requests_at_most
from perilune.review.plan.planner import Plan, cost_limit
from perilune.review.plan.units import Unit
from perilune.review.ports import Answerer, SlotView, Thinking
from perilune.review.prepare import Prepared
from perilune.review.prompt.build import Excerpt, Setting
from perilune.review.prompt.escapes import one_line
from perilune.review.prompt.secrets import Redactor
from perilune.review.rank import confidence, rank
from perilune.review.result import Dropped, ReviewResult, RunStatus, UsageFacts
from perilune.review.services import MOST_AT_ONCE, ReviewOptions, ReviewServices
from perilune.review.structure.related import Surveyor, reader, searcher
from perilune.review.suggest import settle_suggestions

_GAPS = (CoverageState.PARTIAL, CoverageState.FAILED)


class Conduct:
    """The paid part of one review."""

    def __init__(self, services: ReviewServices, options: ReviewOptions, prepared: Prepared, run_id: str) -> None:
        self._services = services
        self._options = options
        self._acquired = prepared.acquired
        self._id = run_id
        self._started = services.clock()

    async def result(
        self,
        prepared: Prepared,
        plan: Plan,
        planned: ReviewResult,
        answerer: Answerer,
    ) -> ReviewResult:
        meter = self._meter(prepared, plan)
        hold = Hold(self._services.reservations, self._id, plan, self._most(prepared, plan))
        desk = Desk(
            answerer,
            self._services.answers,
            meter,
            self._concurrency(plan.slot),
            self._counted(hold),
            self._options.steps.check,
        )
        try:
            return await self._asked(prepared, plan, planned, desk, meter)
        finally:
            await self._given_back(hold)

    async def _asked(
        self, prepared: Prepared, plan: Plan, planned: ReviewResult, desk: Desk, meter: Meter
    ) -> ReviewResult:
        steps, given = self._options.steps, prepared.source.diff_sha256
        desk.remember(await steps.recall("silent", given, tuple[Silence, ...]) or ())
        policy = self._policy(prepared, plan)
        meter.keep(1 if plan.verify_calls else 0)
        gathered = await Generation(desk, policy).run(plan)
        meter.keep(0)
        placed = place_all(gathered, prepared.settings, self._services.clock)
        merged, lost = without_a_place(self._merged(gathered, placed, plan))
        placed = structs.replace(placed, dropped=(*placed.dropped, *lost))
        verified = await verify(merged, self._means(prepared, plan, desk, gathered, placed, policy))
        coverage = _coverage(planned, gathered)
        findings = await asyncio.to_thread(self._settled, verified, prepared, coverage)
        result = self._final(planned, prepared, gathered, placed, verified, findings, coverage, desk, meter.facts())
        if result.status is not RunStatus.DEFERRED:
            await steps.keep("silent", given, desk.silences)
        return result

    def _meter(self, prepared: Prepared, plan: Plan) -> Meter:
        budget = prepared.settings.budget
        slot = plan.slot
        return Meter(
            self._most(prepared, plan),
            budget.max_tokens,
            cost_limit(budget),
            slot.prices if slot else None,
            slot.bytes_per_token if slot else None,
        )

    def _most(self, prepared: Prepared, plan: Plan) -> int:
        return requests_at_most(plan, prepared.settings.budget.max_requests)

    def _counted(self, hold: Hold) -> Callable[[], Awaitable[None]]:
        async def counted() -> None:
            slots = await asyncio.to_thread(self._services.quota.slots, self._id)
            await hold.made(self._services.clock(), slots)

        return counted

    async def _given_back(self, hold: Hold) -> None:
        await self._services.quota.refresh()
        await hold.end(await asyncio.to_thread(self._services.quota.slots, self._id))

    def _concurrency(self, slot: SlotView | None) -> int:
        most = slot.concurrency if slot is not None and slot.concurrency else MOST_AT_ONCE
        return max(min(most, self._options.concurrency), 1)

    def _policy(self, prepared: Prepared, plan: Plan) -> Policy:
        thinking = thinking_for(plan)
        return Policy(
            run=self._id,
            route=prepared.settings.route,
            thinking=thinking,
            thinks=_thinks(plan.slot, thinking),
            setting=self._setting(prepared),
            rules=prepared.rules,
            heads=prepared.heads,
            related=self._related(prepared, plan),
        )

    def _related(self, prepared: Prepared, plan: Plan) -> Callable[[Unit], Iterable[Excerpt]]:
        """What a unit leans on, as far as the effort goes."""
        if plan.effort == "low" or self._acquired.tree is None:
            return lambda _unit: ()
        read, search = (
            reader(self._acquired.objects, self._acquired.tree),
            searcher(self._acquired.git, self._acquired.tree),
        )
        files = prepared.selection.files
        return Surveyor(files, prepared.heads, read, search, with_uses=plan.effort == "high").excerpts

    def _setting(self, prepared: Prepared) -> Setting:
        language = prepared.settings.language
        return Setting(
            language=self._options.language if language == "auto" else language,
            surroundings="\n".join([prepared.surroundings, *self._reader()]).strip("\n"),
            local_secret=self._services.local_secret,
            redacts=prepared.settings.redact_secrets,
        )

    def _reader(self) -> list[str]:
        """What is open already, and what the reader cares for most: material like the rest, never a rule."""
        earlier, focus = self._options.earlier, self._options.focus
        rows = [f"open already: {one_line(line, 200)}" for line in earlier.lines()] if earlier is not None else []
        rows += [f"priority of the reader: {one_line(focus, 500)}"] if focus else []
        return Redactor().redact(rows)[0] if rows else []

    def _merged(self, gathered: Gathered, placed: Placed, plan: Plan) -> list[Finding]:
        voice = Voice(language=self._options.language)
        own = [Voiced(finding, 0) for finding in secret_findings(gathered, self._services.clock, voice.say)]
        return merge([*placed.voiced, *own], plan.votes)

    def _means(
        self,
        prepared: Prepared,
        plan: Plan,
        desk: Desk,
        gathered: Gathered,
        placed: Placed,
        policy: Policy,
    ) -> Means:
        return Means(
            desk=desk,
            setting=policy.setting,
            texts=placed.texts,
            shown=gathered.shown,
            defined_at_head=definitions_of(self._acquired.git, self._acquired.tree),
            run=self._id,
            route=prepared.settings.route,
            thinking=policy.thinking,
            thinks=policy.thinks,
            asks_model=plan.effort != "low",
        )

    def _settled(self, verified: Verified, prepared: Prepared, coverage: Ledger) -> list[Finding]:
        """Confidence, suggestions, what was said of earlier heads, order and caps."""
        sure = [
            structs.replace(
                finding,
                confidence=confidence(
                    finding.model_confidence, finding.votes, finding.verification.state, finding.anchor
                ),
            )
            for finding in verified.findings
        ]
        settings = prepared.settings
        suggested = settle_suggestions(sure, prepared.contents, is_on=settings.suggestions)
        if self._options.earlier is not None:
            suggested = self._options.earlier.settle(suggested, coverage.items, prepared.acquired.diff)
        return rank(suggested, settings.severity, settings.max_inline)

    def _final(
        self,
        planned: ReviewResult,
        prepared: Prepared,
        gathered: Gathered,
        placed: Placed,
        verified: Verified,
        findings: list[Finding],
        coverage: Ledger,
        desk: Desk,
        usage: UsageFacts,
    ) -> ReviewResult:
        errors = _errors(gathered, verified, desk, prepared)
        result = structs.replace(
            planned,
            coverage=coverage.items,
            usage=usage,
            findings=tuple(findings),
            dropped=_ordered((*placed.dropped, *verified.dropped)),
            malformed=gathered.malformed,
            retry_at=until_of(desk.deferred),
            seconds=(self._services.clock() - self._started).total_seconds(),
        )
        status = _status(result, desk)
        if status is RunStatus.PARTIAL:
            errors.append(Problem(code="PL-REVIEW-PARTIAL", facts={"count": _gap_count(result)}))
        return structs.replace(result, status=status, errors=tuple(errors))


def thinking_for(plan: Plan) -> Thinking:
    """What is asked of the model's thinking at an effort."""
    match plan.effort:
        case "low":
            return "off" if plan.slot is None or not plan.slot.thinks_always else "low"
        case "high":
            return "high"
        case "medium":
            return plan.slot.default_thinking if plan.slot is not None else None


def _thinks(slot: SlotView | None, thinking: Thinking) -> bool:
    return thinking != "off" or (slot is not None and slot.thinks_always)


def _coverage(planned: ReviewResult, gathered: Gathered) -> Ledger:
    """The ledger after all units: a file in several units has the state of its parts."""
    ledger = Ledger(planned.coverage)
    before = {item.path: item for item in planned.coverage}
    for name, parts in gathered.states.items():
        state, reason = of_parts([(state, reason) for state, reason, _unit in parts])
        if state is CoverageState.REVIEWED and before[name].state is CoverageState.PARTIAL:
            continue  # only its head was shown
        ledger.settle(name, state, reason, parts[0][2])
    return ledger


def _status(result: ReviewResult, desk: Desk) -> RunStatus:
    read = sum(result.count(state) for state in (CoverageState.REVIEWED, CoverageState.PARTIAL, CoverageState.REUSED))
    if not read:
        return RunStatus.DEFERRED if desk.deferred is not None else RunStatus.FAILED
    return RunStatus.PARTIAL if _gap_count(result) else RunStatus.COMPLETE


def _gap_count(result: ReviewResult) -> int:
    """Files that should have been read whole and were not."""
    return sum(1 for item in result.coverage if item.state in _GAPS or item.reason == "budget")


def _errors(gathered: Gathered, verified: Verified, desk: Desk, prepared: Prepared) -> list[Problem]:
    errors = [prepared.config.problem] if prepared.config.problem is not None else []
    errors += [*gathered.problems, *verified.problems]
    if gathered.malformed:
        errors.append(Problem(code="PL-REVIEW-MALFORMED", facts={"count": gathered.malformed}))
    if desk.limit_reached:
        budget = prepared.settings.budget
        facts = {"max_requests": budget.max_requests, "max_tokens": budget.max_tokens}
        errors.append(Problem(code="PL-REVIEW-LIMIT", facts=facts))
    return errors


def _ordered(dropped: tuple[Dropped, ...]) -> tuple[Dropped, ...]:
    return tuple(
        sorted(
            dropped,
            key=lambda entry: (entry.reason, entry.finding.anchor.path, entry.finding.title, entry.finding.body),
        )
    )
