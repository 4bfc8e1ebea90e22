"""Accounts of one identity are read once, and several processes on one store read an account once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.support.loopback import Asked, LoopbackServer, answer
from tests.support.samples import body_of

from perilune.monitor.collect import Collector
from perilune.monitor.refresh import refresh
from perilune.monitor.schedule import Schedule
from perilune.monitor.target import Target
from perilune.net.control import ControlClient
from perilune.store.snapshots import Snapshots

MakeTarget = Callable[..., Target]
FIVE = timedelta(minutes=5)


class Members:
    """The vendor: who a key belongs to, by the end of the key; 401 for what is revoked."""

    def __init__(self) -> None:
        self.owners = {"A1": "u_1", "A2": "u_1", "B1": "u_2"}
        self.ratio = 0.25
        self.asked: list[str] = []

    def reply(self, asked: Asked) -> bytes:
        key, leaf = asked.headers["authorization"][-2:], asked.path.rpartition("/")[2]
        if key not in self.owners:
            return answer(401)
        if leaf == "usages":
            self.asked.append(key)
            return answer(200, msgspec.json.encode({"usages": {"limit_7d": {"used_ratio": self.ratio}}}))
        if leaf == "me":
            return answer(200, msgspec.json.encode({"user_id": self.owners[key], "user_level_name": f"Title {key}"}))
        return answer(200, msgspec.json.encode(body_of("code-models-ok")))


@pytest.fixture
def members(loopback: LoopbackServer) -> Members:
    made = Members()
    loopback.reply = made.reply
    return made


@pytest.fixture
def three(target: MakeTarget) -> list[Target]:
    return [target(name, f"sk-kimi-EXAMPLE{name}") for name in ("A1", "A2", "B1")]


async def read_all(collector: Collector, targets: list[Target], **more: Any) -> None:
    for one in targets:
        await collector.collect(one, with_profile=True, **more)


async def test_accounts_of_one_membership_share_one_read(
    collector: Collector, snapshots: Snapshots, members: Members, three: list[Target], clock: Any
) -> None:
    await read_all(collector, three)
    assert members.asked == ["A1", "A2", "B1"]
    clock.pass_(minutes=5)
    members.asked.clear()
    members.ratio = 0.5
    await read_all(collector, three, interval=FIVE, lent=FIVE * 0.8)
    assert members.asked == ["A1", "B1"]
    kept = snapshots.latest()
    assert [str(kept[name].windows[0].used_ratio) for name in ("A1", "A2", "B1")] == ["0.5"] * 3
    assert (kept["A2"].read_by, kept["A2"].profile_title, kept["A1"].read_by) == ("A1", "Title A2", None)
    assert snapshots.reads()["A2"].tried_at == clock.now


async def test_each_of_them_tries_its_own_key_once_a_day_and_after_a_failure(
    collector: Collector, snapshots: Snapshots, members: Members, three: list[Target], clock: Any
) -> None:
    await read_all(collector, three)
    clock.pass_(hours=24)
    del members.owners["A2"]
    await read_all(collector, three, interval=FIVE, lent=FIVE * 0.8)
    clock.pass_(minutes=5)
    await read_all(collector, three, interval=FIVE, lent=FIVE * 0.8)
    failure = snapshots.reads()["A2"].failure
    assert failure is not None
    assert (failure.code, failure.count) == ("PL-401-KEY", 2)


async def test_a_refresh_of_all_asks_once_for_each_membership(
    collector: Collector, members: Members, three: list[Target], clock: Any
) -> None:
    await read_all(collector, three)
    members.asked.clear()
    clock.pass_(seconds=11)
    collected = await refresh(three, collector, rest=timedelta(seconds=10))
    assert sorted(key[0] for key in members.asked) == ["A", "B"]
    assert {one.outcome for one in collected.values()} <= {"read", "shared"}
    assert all(one.snapshot and one.snapshot.fetched_at == clock.now for one in collected.values())


async def test_two_services_and_a_command_make_one_request_in_each_interval(
    snapshots: Snapshots, client: ControlClient, members: Members, target: MakeTarget, clock: Any
) -> None:
    """An hour of both: time passes only when both services wait, to the earlier of their moments."""
    one = target("B1", "sk-kimi-EXAMPLEB1")
    alarms: dict[asyncio.Event, Any] = {}
    both_wait = asyncio.Event()

    async def wait(event: asyncio.Event, seconds: float) -> None:
        alarms[event] = clock.now + timedelta(seconds=seconds), asyncio.Event()
        if len(alarms) == 2:
            both_wait.set()
        await alarms[event][1].wait()

    services = [
        Schedule(Collector(snapshots, client, clock=clock, owner=f"service-{n}"), snapshots, clock=clock, wait=wait)
        for n in range(2)
    ]
    command = Collector(snapshots, client, clock=clock, owner="command")
    running = [asyncio.create_task(service.run([one])) for service in services]
    start, reads = clock.now, []
    while clock.now - start < timedelta(hours=1):
        await both_wait.wait()
        both_wait.clear()
        at = min(moment for moment, _ in alarms.values())
        clock.now = max(clock.now, at)
        for event in [event for event, (moment, _) in alarms.items() if moment <= clock.now]:
            alarms.pop(event)[1].set()
        reads.append(len(members.asked))
        await command.collect(one, rest=timedelta(seconds=60))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    minutes = (clock.now - start).total_seconds() / 60
    assert minutes / 5.5 - 1 <= len(members.asked) <= minutes / 4.5 + 2


async def test_a_read_after_a_refusal_or_a_reset_takes_nothing_older(
    collector: Collector, members: Members, three: list[Target], clock: Any
) -> None:
    await read_all(collector, three)
    clock.pass_(minutes=5)
    await collector.collect(three[0])
    members.asked.clear()
    clock.pass_(seconds=40)
    await collector.collect(three[1], interval=FIVE, lent=timedelta(seconds=30))
    await collector.collect(three[0], interval=FIVE, lent=timedelta(seconds=30), rest=timedelta(0))
    assert members.asked == ["A2"]
