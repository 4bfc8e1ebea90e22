"""The review of one input: the stages in order, each a small step."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct, field, structs

from perilune.core.errors import PeriluneError, Problem
from perilune.core.ids import uuid7
from perilune.core.messages import Voice
from perilune.patches.finding import Finding
from perilune.review.acquire.inputs import Acquired, ReviewInput, acquire
from perilune.review.ask import Desk, until_of
from perilune.review.check import Means, Verified, definitions_of, verify
from perilune.review.coverage import CoverageState, Ledger, of_parts
from perilune.review.findings import Placed, place_all, secret_findings
from perilune.review.generate import Gathered, Generation, Policy
from perilune.review.merge import Voiced, merge
from perilune.review.meter import Meter
from perilune.review.plan.planner import Estimate, Plan, Shortfall, cost_limit
from perilune.review.ports import Answerer, AnswerStore, QuotaView, SlotView, Thinking
from perilune.review.prepare import Prepared, prepare
from perilune.review.prompt.build import Setting
from perilune.review.rank import confidence, rank
from perilune.review.result import ConfigFacts, Dropped, ReviewResult, RunStatus, UsageFacts
from perilune.review.suggest import settle_suggestions

_MOST_AT_ONCE = 8
_GAPS = (CoverageState.PARTIAL, CoverageState.FAILED)


class ReviewOptions(Struct, frozen=True, kw_only=True):
    """How one review is run. `flags` are settings said on the command line."""

    preview: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)
    language: Literal["en", "zh-CN"] = "en"
    concurrency: int = _MOST_AT_ONCE


class ReviewServices(Struct, frozen=True, kw_only=True):
    """What a review is handed. `user` is the `[review]` table of the user's configuration.

    Shape: `planned` hears of the plan before the first request, `finished` of the result; of a preview only `planned`.
    """

    answerer: Answerer | None
    quota: QuotaView
    answers: AnswerStore
    user: Mapping[str, Any] = field(default_factory=dict)
    local_secret: bytes = b"perilune"
    clock: Callable[[], datetime] = field(default_factory=lambda: lambda: datetime.now(UTC))
    planned: Callable[[ReviewResult], None] | None = None
    finished: Callable[[ReviewResult], Awaitable[None]] | None = None


class Reviewer:
    """Reviews inputs with what it was handed."""

    def __init__(self, services: ReviewServices) -> None:
        self._services = services

    async def review(self, source: ReviewInput, options: ReviewOptions | None = None) -> ReviewResult:
        """One review, from the diff to ranked findings. A preview asks no model and writes nothing.

        Raises: ReviewError, ConfigError.
        """
        acquired = await asyncio.to_thread(acquire, source)
        try:
            result = await _Run(self._services, acquired, options or ReviewOptions()).result()
        finally:
            acquired.close()
        if self._services.finished is not None and not result.is_preview:
            await self._services.finished(result)
        return result


class _Run:
    """One review under way."""

    def __init__(self, services: ReviewServices, acquired: Acquired, options: ReviewOptions) -> None:
        self._services = services
        self._acquired = acquired
        self._options = options
        self._started = services.clock()
        self._id = str(uuid7(self._started))

    async def result(self) -> ReviewResult:
        slots = tuple(self._services.quota.slots())
        flags, user = self._options.flags, self._services.user
        prepared = await asyncio.to_thread(prepare, self._acquired, slots, user, flags)
        if not prepared.selection.files:
            return self._nothing(prepared)
        if isinstance(prepared.plan, Shortfall):
            return self._short(prepared, prepared.plan)
        planned = self._base(prepared, prepared.plan)
        if self._services.planned is not None:
            self._services.planned(planned)
        if self._options.preview:
            return structs.replace(planned, is_preview=True)
        if self._services.answerer is None:
            raise PeriluneError.of("PL-ACCOUNT-NONE")
        return await self._reviewed(prepared, prepared.plan, planned, self._services.answerer)

    def _base(self, prepared: Prepared, plan: Plan | None) -> ReviewResult:
        """The result as it stands before anything was asked."""
        ledger = Ledger(prepared.selection.items)
        for name in plan.skipped if plan is not None else ():
            ledger.settle(name, CoverageState.SKIPPED, "budget")
        for unit in plan.units if plan is not None else ():
            for name in unit.names:
                ledger.settle(name, ledger.state(name), ledger.item(name).reason, unit.id)
        return ReviewResult(
            run_id=self._id,
            generated_at=self._started,
            status=RunStatus.COMPLETE,
            source=prepared.source,
            config=_with_cuts(prepared, plan),
            plan=plan,
            estimate=plan.estimate if plan is not None else Estimate(),
            coverage=ledger.items,
            risks={entry.file.name: (entry.risk.score, entry.risk.reasons) for entry in prepared.ranked},
            fail_on=prepared.settings.fail_on,
            require_full_coverage=prepared.settings.require_full_coverage,
            head_lines=prepared.heads,
        )

    def _nothing(self, prepared: Prepared) -> ReviewResult:
        """Nothing to review, said with what was skipped; a diff that could not be read at all has failed."""
        result = self._base(prepared, None)
        failed = [item for item in result.coverage if item.state is CoverageState.FAILED]
        if failed:
            problem = Problem(code="PL-REVIEW-DIFF", variant="patch", facts={"path": failed[0].path})
            return structs.replace(result, status=RunStatus.FAILED, errors=(problem,))
        variant = "skipped" if result.coverage else ""
        problem = Problem(code="PL-REVIEW-EMPTY", variant=variant, facts={"count": len(result.coverage)})
        return structs.replace(result, status=RunStatus.SKIPPED, errors=(problem,))

    def _short(self, prepared: Prepared, short: Shortfall) -> ReviewResult:
        """The plan does not fit what is left: nothing is asked."""
        facts: dict[str, object] = {"needed": short.needed, "available": short.available}
        facts |= {"account": short.account or "", "window": short.window or ""}
        variant = "one" if short.needed == 1 else ""
        if short.retry_at is None:
            variant = f"{variant}_unknown" if variant else "unknown"
        problem = Problem(code="PL-REVIEW-BUDGET", variant=variant, facts=facts, retry_at=short.retry_at)
        status = RunStatus.DEFERRED if short.how == "defer" else RunStatus.FAILED
        base = self._base(prepared, short.plan)
        items = tuple(
            structs.replace(item, state=CoverageState.SKIPPED, reason="budget", unit=None)
            if item.state is CoverageState.REVIEWED
            else item
            for item in base.coverage
        )
        return structs.replace(
            base,
            status=status,
            coverage=items,
            errors=(problem,),
            retry_at=short.retry_at,
            is_preview=self._options.preview,
        )

    async def _reviewed(
        self,
        prepared: Prepared,
        plan: Plan,
        planned: ReviewResult,
        answerer: Answerer,
    ) -> ReviewResult:
        meter = self._meter(prepared, plan)
        desk = Desk(answerer, self._services.answers, meter, self._concurrency(plan.slot))
        policy = self._policy(prepared, plan)
        meter.keep(1 if plan.verify_calls else 0)
        gathered = await Generation(desk, policy).run(plan)
        meter.keep(0)
        placed = place_all(gathered, prepared.settings, self._services.clock)
        merged = self._merged(gathered, placed, plan)
        verified = await verify(merged, self._means(prepared, plan, desk, gathered, placed, policy))
        findings = await asyncio.to_thread(self._settled, verified, prepared)
        return self._final(planned, prepared, gathered, placed, verified, findings, desk, meter.facts())

    def _meter(self, prepared: Prepared, plan: Plan) -> Meter:
        budget = prepared.settings.budget
        slot = plan.slot
        allowed = plan.allowed.requests
        most = budget.max_requests if allowed is None else min(budget.max_requests, allowed)
        return Meter(
            most,
            budget.max_tokens,
            cost_limit(budget),
            slot.prices if slot else None,
            slot.bytes_per_token if slot else None,
        )

    def _concurrency(self, slot: SlotView | None) -> int:
        most = slot.concurrency if slot is not None and slot.concurrency else _MOST_AT_ONCE
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
        )

    def _setting(self, prepared: Prepared) -> Setting:
        language = prepared.settings.language
        return Setting(
            language=self._options.language if language == "auto" else language,
            surroundings=prepared.surroundings,
            local_secret=self._services.local_secret,
            redacts=prepared.settings.redact_secrets,
        )

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

    def _settled(self, verified: Verified, prepared: Prepared) -> list[Finding]:
        """Confidence, suggestions, order and caps."""
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
        return rank(suggested, settings.severity, settings.max_inline)

    def _final(
        self,
        planned: ReviewResult,
        prepared: Prepared,
        gathered: Gathered,
        placed: Placed,
        verified: Verified,
        findings: list[Finding],
        desk: Desk,
        usage: UsageFacts,
    ) -> ReviewResult:
        coverage = _coverage(planned, gathered)
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


def _with_cuts(prepared: Prepared, plan: Plan | None) -> ConfigFacts:
    """The rule files, with those marked that were cut in the prompt of some unit."""
    units = plan.units if plan is not None else ()
    cut = {path for unit in units for path in prepared.rules.text_for(unit.names).truncated}
    rules = tuple(structs.replace(rule, truncated=rule.path in cut) for rule in prepared.config.rules)
    return structs.replace(prepared.config, rules=rules)


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
    errors = [*gathered.problems, *verified.problems]
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
