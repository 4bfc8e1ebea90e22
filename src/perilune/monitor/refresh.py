"""Reading on demand: the fresh is shown as it is, the rest is read within one time limit, else the store answers."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from perilune.monitor.collect import Collected, Collector
from perilune.monitor.target import Target

WHOLE_S = 8.0
_AT_ONCE = 16


async def refresh(
    targets: Sequence[Target],
    collector: Collector,
    *,
    whole_s: float = WHOLE_S,
    is_forced: bool = False,
    rest: timedelta = timedelta(0),
    with_profile: bool = False,
) -> dict[str, Collected]:
    """Read all targets side by side; one that fails or is slow delays no other. What is late has failed."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(target: Target) -> Collected:
        async with at_once:
            return await collector.collect(target, is_forced=is_forced, rest=rest, with_profile=with_profile)

    tasks = {asyncio.create_task(one(target)): target for target in targets}
    if not tasks:
        return {}
    try:
        done, late = await asyncio.wait(tasks, timeout=whole_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    given_up = [await collector.give_up(tasks[task], whole_s) for task in late]
    return {collected.account: collected for collected in [*(task.result() for task in done), *given_up]}
