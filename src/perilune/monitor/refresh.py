"""Reading on demand: what is fresh is shown as it is, the rest is read within one time limit, else the store answers."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from perilune.monitor.collect import Collected, Collector
from perilune.monitor.target import Target

FRESH = timedelta(seconds=60)
JUST_READ = timedelta(seconds=10)
WHOLE_S = 8.0
_AT_ONCE = 16
_PER_HOST = 2


def due(targets: Sequence[Target], tried_at: Mapping[str, datetime], now: datetime, *, is_asked: bool) -> list[Target]:
    """The targets worth a call: never tried, or last tried a minute ago; ten seconds when a refresh was asked for."""
    rest = JUST_READ if is_asked else FRESH
    return [target for target in targets if target.name not in tried_at or now - tried_at[target.name] >= rest]


async def refresh(
    targets: Sequence[Target], collector: Collector, *, whole_s: float = WHOLE_S, is_forced: bool = False
) -> dict[str, Collected]:
    """Read all targets side by side; one that fails or is slow delays no other. What is not there in time is left out."""
    at_once = asyncio.Semaphore(_AT_ONCE)
    per_host = {target.host: asyncio.Semaphore(_PER_HOST) for target in targets}

    async def one(target: Target) -> Collected:
        async with at_once, per_host[target.host]:
            return await collector.collect(target, is_forced=is_forced)

    tasks = [asyncio.create_task(one(target)) for target in targets]
    if not tasks:
        return {}
    try:
        done, _ = await asyncio.wait(tasks, timeout=whole_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {collected.account: collected for collected in (task.result() for task in done)}
