"""A refusal that can mean two things is settled by a free reading before a command speaks of it."""

import asyncio
import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from perilune.core.errors import PeriluneError, Problem
from perilune.core.messages import Voice
from perilune.quota.held import Held
from perilune.quota.refusals import resolve
from perilune.quota.status import judge
from perilune.quota.wording import block_problem

if TYPE_CHECKING:
    from perilune.compose.monitoring import Monitoring
    from perilune.compose.workbench import Workbench

_UNSETTLED = ("PL-QUOTA-UNKNOWN", "PL-BALANCE-EMPTY")


def explained(bench: "Workbench", problem: Problem | None, voice: Voice) -> Problem | None:
    """The problem with what a reading of its account says now; as it was where that cannot be read."""
    if problem is None or problem.code not in _UNSETTLED or problem.account is None:
        return problem
    monitoring = bench.monitoring_now()
    try:
        is_read = asyncio.run(_read(bench, monitoring, problem.account))
        if is_read:
            _settle(monitoring, problem.account)
        found = _blocking(monitoring, problem.account, voice) if is_read else None
    except PeriluneError:
        return _unread(problem)
    finally:
        monitoring.close()
    if not is_read:
        return _unread(problem)
    if found is None:
        return problem
    facts = {**problem.facts, **found.facts}
    return replace(found, facts=facts, words=problem.words, request_id=problem.request_id)


def _unread(problem: Problem) -> Problem:
    return replace(problem, variant="unread") if problem.code == "PL-QUOTA-UNKNOWN" else problem


async def _read(bench: "Workbench", monitoring: "Monitoring", account: str) -> bool:
    from perilune.monitor.collect import Collector
    from perilune.monitor.refresh import refresh

    async with bench.control_client() as client:
        collector = Collector(monitoring.snapshots, client, clock=bench.now, owner=f"explain-{os.getpid()}")
        read = await refresh(monitoring.targets((account,)), collector, is_forced=True)
    return account in read and read[account].outcome == "read"


def _settle(monitoring: "Monitoring", name: str) -> None:
    """A refusal whose sentence named no window is of the one that this reading shows full."""
    held = monitoring.held().get(name, Held())
    unclear = next((one for one in held.refusals if one.kind == "quota" and one.window is None), None)
    if unclear is None or held.snapshot is None:
        return
    settled = resolve(name, None, held.snapshot.windows, unclear.at)
    if settled.window is not None:
        monitoring.snapshots.refuse(replace(settled, words=unclear.words))


def _blocking(monitoring: "Monitoring", name: str, voice: Voice) -> Problem | None:
    """What blocks the account by that reading; None where nothing does."""
    held = monitoring.held()
    known = {account.name: monitoring.known(account) for account in monitoring.config.accounts}
    judged = {one: judge(known[one], held.get(one, Held()), voice.now) for one in known}
    one = judged[name]
    others = (other for other, its in judged.items() if other != name and its.verdict.usable)
    refusal = max((r for r in one.refusals if r.kind == "quota"), key=lambda r: r.at, default=None)
    balance = one.held.snapshot.balance if one.held.snapshot else None
    voice = replace(voice, now=one.now)
    return block_problem(one.verdict, one.windows, balance, refusal, one.known, voice, next(others, None))
