import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.support.loopback import LoopbackServer, answer
from tests.support.samples import NOW

from perilune.monitor.collect import Collector
from perilune.monitor.freshness import due
from perilune.monitor.interval import Activity, interval_s
from perilune.monitor.schedule import Schedule
from perilune.monitor.target import Target
from perilune.store.snapshots import Snapshots

MakeTarget = Callable[..., Target]


class Waits:
    """Stands in for the passing of time: each wait moves the clock; after `rounds` waits it stays."""

    def __init__(self, clock: Any, rounds: int) -> None:
        self.clock, self.rounds, self.waited, self.is_over = clock, rounds, [], asyncio.Event()

    async def __call__(self, event: asyncio.Event, seconds: float) -> None:
        self.waited.append(round(seconds))
        if len(self.waited) > self.rounds:
            self.is_over.set()
            await event.wait()
        else:
            self.clock.pass_(seconds=seconds)


def usages(reset: datetime) -> bytes:
    return msgspec.json.encode({"usages": {"limit_5h": {"used_ratio": 0.5, "reset_time": reset.isoformat()}}})


def schedule(collector: Collector, snapshots: Snapshots, clock: Any, waits: Waits) -> Schedule:
    return Schedule(collector, snapshots, clock=clock, wait=waits, spread=lambda low, high: (low + high) / 2)


async def run_until_over(plan: Schedule, target: Target, waits: Waits) -> None:
    running = asyncio.create_task(plan.run([target]))
    await waits.is_over.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_an_account_is_read_at_once_then_at_its_interval(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(200, usages(NOW + timedelta(hours=4)))
    waits = Waits(clock, 3)
    await run_until_over(schedule(collector, snapshots, clock, waits), target(), waits)
    assert waits.waited == [0, 300, 300, 300]
    assert len([asked for asked in loopback.requests if asked.path.endswith("usages")]) == 3


async def test_a_reset_is_read_half_a_minute_later_and_once(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(200, usages(NOW + timedelta(seconds=100)))
    waits = Waits(clock, 2)
    await run_until_over(schedule(collector, snapshots, clock, waits), target(), waits)
    assert waits.waited[:2] == [0, 138]


async def test_failures_are_waited_out(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(500)
    waits = Waits(clock, 5)
    await run_until_over(schedule(collector, snapshots, clock, waits), target(), waits)
    assert waits.waited == [0, 60, 120, 300, 900, 1800]


async def test_a_nudge_reads_at_once_and_at_most_every_30_seconds(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(200, usages(NOW + timedelta(hours=4)))
    waits = Waits(clock, 1)
    plan = schedule(collector, snapshots, clock, waits)
    assert plan.nudge("work") is False
    running = asyncio.create_task(plan.run([target()]))
    await waits.is_over.wait()
    before = len(loopback.requests)
    waits.is_over.clear()
    assert [plan.nudge("work"), plan.nudge("work"), plan.nudge("other")] == [True, False, False]
    await waits.is_over.wait()
    assert len(loopback.requests) == before + 1
    clock.pass_(seconds=30)
    assert plan.nudge("work") is True
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_what_was_tried_a_minute_ago_is_due() -> None:
    tried = {"a": NOW - timedelta(seconds=59), "b": NOW - timedelta(seconds=60)}
    assert due(["a", "b", "new"], tried, NOW, is_asked=False) == ["b", "new"]
    tried = {"a": NOW - timedelta(seconds=9), "b": NOW - timedelta(seconds=10)}
    assert due(["a", "b", "new"], tried, NOW, is_asked=True) == ["b", "new"]


@pytest.mark.parametrize(
    ("activity", "seconds"),
    [
        (Activity(), 300),
        (Activity(last_request_at=NOW - timedelta(minutes=5)), 120),
        (Activity(has_open_screen=True), 120),
        (Activity(quiet_since=NOW - timedelta(minutes=59)), 300),
        (Activity(quiet_since=NOW - timedelta(hours=1)), 900),
        (Activity(quiet_since=NOW - timedelta(hours=4)), 1800),
        (Activity(has_open_screen=True, saves_power=True), 1800),
    ],
)
def test_the_interval_follows_use(activity: Activity, seconds: int) -> None:
    assert interval_s(300, activity, NOW) == seconds
