"""The review of one input: up to its plan here, the paid stages by `conduct`, imported when they come."""

import asyncio

from msgspec import structs
from msgspec.structs import replace

from perilune.core.errors import PeriluneError, Problem
from perilune.core.ids import uuid7
from perilune.review.acquire.inputs import Acquired, ReviewInput, acquire
from perilune.review.coverage import CoverageState, Ledger
from perilune.review.plan.forecast import Estimate
from perilune.review.plan.holding import held_by, requests_at_most, seen_by
from perilune.review.plan.planner import Plan, Shortfall
from perilune.review.prepare import Prepared, prepare, replanned
from perilune.review.prompt.system import PROMPT_VERSION
from perilune.review.result import ConfigFacts, ReviewResult, RunStatus
from perilune.review.services import ReviewOptions, ReviewServices

__all__ = ["ReviewOptions", "ReviewServices", "Reviewer"]


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
            result = await self._reviewed(acquired, options or ReviewOptions())
        finally:
            acquired.close()
        if self._services.finished is not None and not result.is_preview:
            await self._services.finished(result)
        return result

    async def _reviewed(self, acquired: Acquired, options: ReviewOptions) -> ReviewResult:
        runs = self._services.runs
        if runs is None or options.preview or options.run is not None:
            return await _Run(self._services, acquired, options).result()
        async with runs.run(f"{acquired.kind}/{acquired.digest}", resume=options.resume) as kept:
            result = await _Run(self._services, acquired, replace(options, run=kept.claim.id, steps=kept)).result()
            if result.status is RunStatus.DEFERRED:
                kept.put_off(result.retry_at)
            return result


class _Run:
    """One review under way."""

    def __init__(self, services: ReviewServices, acquired: Acquired, options: ReviewOptions) -> None:
        self._services = services
        self._acquired = acquired
        self._options = options
        self._started = services.clock()
        self._id = options.run or str(uuid7(self._started))

    async def result(self) -> ReviewResult:
        quota = self._services.quota
        if not self._options.preview:
            await quota.refresh()
        flags, user = self._options.flags, self._services.user
        slots = tuple(await asyncio.to_thread(quota.slots, self._id))
        prepared = await asyncio.to_thread(
            prepare, self._acquired, slots, user, flags, is_lenient=self._options.is_lenient
        )
        if not prepared.selection.files:
            return self._nothing(prepared)
        if not self._options.preview:
            prepared = await self._planned(prepared)
        if isinstance(prepared.plan, Shortfall):
            return self._short(prepared, prepared.plan)
        planned = self._base(prepared, prepared.plan)
        if self._services.planned is not None:
            self._services.planned(planned)
        if self._options.preview:
            return structs.replace(planned, is_preview=True)
        if self._services.answerer is None:
            raise PeriluneError.of("PL-ACCOUNT-NONE")
        from perilune.review.conduct import Conduct

        conduct = Conduct(self._services, self._options, prepared, self._id)
        return await conduct.result(prepared, prepared.plan, planned, self._services.answerer)

    async def _planned(self, prepared: Prepared) -> Prepared:
        """The plan this run was begun with, so that nothing is asked a second time; else a new one."""
        steps, given = self._options.steps, [prepared.source.diff_sha256, prepared.settings, PROMPT_VERSION]
        kept = await steps.recall("plan", given, Plan)
        if kept is not None:
            held = held_by(kept, requests_at_most(kept, prepared.settings.budget.max_requests))
            await self._services.reservations.settle(self._id, held)
            return structs.replace(prepared, plan=kept)
        prepared = await self._reserved(prepared)
        if isinstance(prepared.plan, Plan):
            await steps.keep("plan", given, prepared.plan)
        return prepared

    async def _reserved(self, prepared: Prepared) -> Prepared:
        """The review with a plan that nobody else counts on; planned anew where another run was faster."""
        services = self._services
        while isinstance(prepared.plan, Plan):
            plan = prepared.plan
            held = held_by(plan, requests_at_most(plan, prepared.settings.budget.max_requests))
            if await services.reservations.reserve(self._id, held, seen_by(plan)):
                break
            slots = tuple(await asyncio.to_thread(services.quota.slots, self._id))
            prepared = await asyncio.to_thread(replanned, prepared, slots)
        return prepared

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
            diff=prepared.acquired.diff,
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


def _with_cuts(prepared: Prepared, plan: Plan | None) -> ConfigFacts:
    """The rule files, with those marked that were cut in the prompt of some unit."""
    units = plan.units if plan is not None else ()
    cut = {path for unit in units for path in prepared.rules.text_for(unit.names).truncated}
    rules = tuple(structs.replace(rule, truncated=rule.path in cut) for rule in prepared.config.rules)
    return structs.replace(prepared.config, rules=rules)
