import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.loopback import Asked, LoopbackServer, answer
from tests.support.samples import NOW, body_of

from perilune.core.errors import Problem
from perilune.monitor.collect import Collector
from perilune.monitor.refresh import refresh
from perilune.monitor.target import Target
from perilune.monitor.waiting import failure_of, is_hopeless, patience
from perilune.net.control import ControlClient
from perilune.quota.refusals import resolve
from perilune.quota.status import judge
from perilune.store.engine import Store
from perilune.store.quick import quick_held, quick_tried
from perilune.store.snapshots import Snapshots

MakeTarget = Callable[..., Target]
LEGACY = msgspec.json.encode(body_of("code-usages-legacy"))
QUOTA = msgspec.json.encode(body_of("code-usages-quota-model"))


async def test_a_read_is_kept_with_its_samples(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, store: Store
) -> None:
    loopback.reply = lambda asked: answer(200, LEGACY)
    collected = await collector.collect(target())
    assert collected.outcome == "read"
    assert snapshots.latest()["work"] == collected.snapshot
    assert snapshots.reads()["work"].failure is None
    assert [asked.path for asked in loopback.requests] == ["/api.kimi.com/coding/v1/usages"]


async def test_a_sample_is_written_when_something_moved_or_half_an_hour_passed(
    collector: Collector, loopback: LoopbackServer, target: MakeTarget, store: Store, clock: Any
) -> None:
    def count() -> int:
        with store.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM window_samples").scalar_one())

    loopback.reply = lambda asked: answer(200, LEGACY)
    for minutes, rows in ((0, 2), (1, 2), (28, 2), (1, 4)):
        clock.pass_(minutes=minutes)
        await collector.collect(target())
        assert count() == rows
    loopback.reply = lambda asked: answer(200, QUOTA)
    clock.pass_(minutes=1)
    await collector.collect(target())
    assert count() == 7


class Watched(Snapshots):
    """Tells when so many readers have asked for the flight."""

    def __init__(self, store: Store, readers: int) -> None:
        super().__init__(store)
        self.all_asked, self._loop, self._left = asyncio.Event(), asyncio.get_running_loop(), readers

    def take_flight(self, account: str, owner: str, now: datetime, lasts: timedelta) -> bool:
        taken = super().take_flight(account, owner, now, lasts)
        self._left -= 1
        if self._left == 0:
            self._loop.call_soon_threadsafe(self.all_asked.set)
        return taken


async def test_three_readers_at_once_make_one_request(
    store: Store, client: ControlClient, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    watched = Watched(store, 3)

    async def when_all_wait(asked: Asked) -> bytes:
        await watched.all_asked.wait()
        return answer(200, LEGACY)

    loopback.reply = when_all_wait
    readers = [Collector(watched, client, clock=clock, owner=f"process-{n}") for n in range(3)]
    collected = await asyncio.gather(*(reader.collect(target()) for reader in readers))
    assert len(loopback.requests) == 1
    assert sorted(one.outcome for one in collected) == ["read", "shared", "shared"]
    assert {one.snapshot for one in collected} == {watched.latest()["work"]}


async def test_what_another_process_has_just_read_is_not_read_again(
    collector: Collector, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(200, LEGACY)
    first = await collector.collect(target())
    clock.pass_(seconds=9)
    again = await collector.collect(target(), rest=timedelta(seconds=10))
    assert (again.outcome, again.snapshot) == ("shared", first.snapshot)
    assert len(loopback.requests) == 1


@pytest.mark.case("accounts 11.3")
async def test_a_wait_that_the_vendor_asked_for_survives_a_restart(
    collector: Collector,
    snapshots: Snapshots,
    client: ControlClient,
    loopback: LoopbackServer,
    target: MakeTarget,
    clock: Any,
) -> None:
    loopback.reply = lambda asked: answer(429, retry_after="600")
    assert (await collector.collect(target())).outcome == "failed"
    restarted = Collector(snapshots, client, clock=clock, owner="two")
    clock.pass_(seconds=60)
    assert (await restarted.collect(target())).outcome == "waiting"
    assert len(loopback.requests) == 1
    failure = snapshots.reads()["work"].failure
    assert failure is not None
    assert failure.retry_at == NOW + timedelta(seconds=600)
    clock.pass_(seconds=541)
    await restarted.collect(target())
    assert len(loopback.requests) == 2


async def test_a_failed_read_leaves_the_last_good_one(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(200, LEGACY)
    good = (await collector.collect(target())).snapshot
    loopback.reply = lambda asked: answer(500)
    for count in (1, 2):
        clock.pass_(minutes=2)
        await collector.collect(target())
        failure = snapshots.reads()["work"].failure
        assert failure is not None
        assert (failure.code, failure.count) == ("PL-5XX-READ", count)
    assert snapshots.latest()["work"] == good
    loopback.reply = lambda asked: answer(200, LEGACY)
    await collector.collect(target())
    assert snapshots.reads()["work"].failure is None


@pytest.mark.case("accounts 11.10")
async def test_a_window_that_is_gone_is_gone_and_its_history_stays(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, store: Store, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(200, LEGACY)
    await collector.collect(target())
    only_five = {"usages": {"limit_5h": {"used_ratio": 0.5, "reset_time": "2026-11-20T16:33:02Z"}}}
    loopback.reply = lambda asked: answer(200, msgspec.json.encode(only_five))
    clock.pass_(minutes=5)
    await collector.collect(target())
    assert [window.id for window in snapshots.latest()["work"].windows] == ["5h"]
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT DISTINCT window FROM window_samples ORDER BY window").scalars().all()
    assert list(rows) == ["5h", "7d"]


async def test_a_refused_key_is_not_tried_a_third_time_until_it_changes(
    collector: Collector, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(401)
    outcomes = []
    for _ in range(3):
        outcomes.append((await collector.collect(target())).outcome)
        clock.pass_(seconds=61)
    assert outcomes == ["failed", "failed", "refused"]
    assert (await collector.collect(target(), is_forced=True)).outcome == "failed"
    loopback.reply = lambda asked: answer(200, LEGACY)
    assert (await collector.collect(target(key="sk-kimi-EXAMPLE0002"))).outcome == "read"


async def test_an_account_without_a_key_fails_without_a_call(
    collector: Collector, loopback: LoopbackServer, target: MakeTarget
) -> None:
    collected = await collector.collect(target(key=None))
    assert collected.problem is not None
    assert (collected.outcome, collected.problem.code) == ("failed", "PL-CRED-NONE")
    assert loopback.requests == []


async def test_a_cancelled_read_gives_its_flight_back(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget
) -> None:
    asked_once, never = asyncio.Event(), asyncio.Event()

    async def silent(asked: Asked) -> bytes:
        asked_once.set()
        await never.wait()
        return answer(200)

    loopback.reply = silent
    reading = asyncio.create_task(collector.collect(target()))
    await asked_once.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not snapshots.is_flying("work", NOW)
    never.set()


async def test_one_slow_account_delays_no_other(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget
) -> None:
    never = asyncio.Event()

    async def by_key(asked: Asked) -> bytes:
        if asked.headers["authorization"].endswith("SLOW"):
            await never.wait()
        return answer(200, LEGACY)

    loopback.reply = by_key
    targets = [target(), target("slow", "sk-kimi-EXAMPLESLOW")]
    collected = await refresh(targets, collector, whole_s=2)
    assert {name: one.outcome for name, one in collected.items()} == {"work": "read", "slow": "failed"}
    failure = snapshots.reads()["slow"].failure
    assert failure is not None
    assert (failure.code, failure.facts["host"]) == ("PL-NET-TIMEOUT", "api.kimi.com")
    never.set()


async def test_the_profile_is_asked_once_a_day(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    bodies = {"usages": LEGACY, "me": "code-me-ok", "models": "code-models-ok"}

    def reply(asked: Asked) -> bytes:
        body = bodies[asked.path.rpartition("/")[2]]
        return answer(200, body if isinstance(body, bytes) else msgspec.json.encode(body_of(body)))

    loopback.reply = reply
    for hours in (0, 23, 1):
        clock.pass_(hours=hours)
        await collector.collect(target(), with_profile=True)
    asked = [one.path.rpartition("/")[2] for one in loopback.requests]
    assert (asked.count("usages"), asked.count("me"), asked.count("models")) == (3, 2, 2)
    kept = snapshots.latest()["work"]
    assert (kept.plan_title, kept.models[0]) == ("Vivace", "kimi-for-coding")
    assert kept.identity is not None


async def test_the_quick_way_reads_what_the_store_holds(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, tmp_path: Path, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(200, LEGACY)
    await collector.collect(target())
    loopback.reply = lambda asked: answer(500)
    clock.pass_(minutes=2)
    await collector.collect(target())
    quick, full = quick_held(tmp_path / "perilune.db", clock()), snapshots.held(clock())
    assert quick is not None
    assert (quick["work"].snapshot, quick["work"].failure) == (full["work"].snapshot, full["work"].failure)
    assert quick_tried(tmp_path / "perilune.db") == {"work": clock()}
    assert quick_held(tmp_path / "none.db", clock()) is None


@pytest.mark.parametrize(
    ("code", "minutes"),
    [("PL-NET-DNS", (1, 2, 5, 15, 30, 30)), ("PL-402-MEMBER", (5, 30, 30)), ("PL-429-READ", (1, 2, 4, 8, 16, 30, 30))],
)
def test_patience_grows(code: str, minutes: tuple[int, ...]) -> None:
    assert [patience(code, times) for times in range(1, len(minutes) + 1)] == [timedelta(minutes=m) for m in minutes]


def test_an_equal_refusal_within_a_minute_does_not_end_the_tries() -> None:
    problem = Problem(code="PL-401-KEY")
    first = failure_of(problem, "work", None, NOW, "key")
    quick = failure_of(problem, "work", first, NOW + timedelta(seconds=5), "key")
    later = failure_of(problem, "work", quick, NOW + timedelta(seconds=65), "key")
    assert [is_hopeless(failure, "key") for failure in (first, quick, later)] == [False, False, True]
    assert not is_hopeless(later, "another")


@pytest.mark.case("experience E17")
async def test_a_refused_key_that_is_accepted_elsewhere_belongs_there(
    collector: Collector, loopback: LoopbackServer, target: MakeTarget
) -> None:
    loopback.reply = lambda asked: answer(200, LEGACY)
    await collector.collect(target())
    loopback.reply = lambda asked: answer(401)
    collected = await collector.collect(target("ci"))
    assert collected.problem is not None
    assert (collected.problem.code, collected.problem.variant) == ("PL-401-HOST", "")
    assert collected.problem.facts["other"] == "Kimi Code cn (api.kimi.com)"
    unknown = await collector.collect(target("lab", "sk-kimi-EXAMPLE0099"))
    assert unknown.problem is not None
    assert unknown.problem.code == "PL-401-KEY"


@pytest.mark.case("accounts 5.22")
async def test_a_refusal_ends_when_an_inference_call_succeeds(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    loopback.reply = lambda asked: answer(200, LEGACY)
    await collector.collect(target())
    snapshots.refuse(resolve("work", "7d", snapshots.latest()["work"].windows, clock()))
    known, held = target().known, snapshots.held(clock())["work"]
    assert judge(known, held, clock()).verdict.blocked_by == "7d"
    snapshots.accept("work")
    assert judge(known, snapshots.held(clock())["work"], clock()).verdict.usable is True


@pytest.mark.case("accounts 6.7")
async def test_the_title_that_the_profile_tells_wins(
    collector: Collector, snapshots: Snapshots, loopback: LoopbackServer, target: MakeTarget
) -> None:
    usages = {**body_of("code-usages-legacy"), "user": {"membership": {"level": "LEVEL_BASIC"}}}
    bodies = {"usages": usages, "me": body_of("code-me-ok"), "models": {}}
    loopback.reply = lambda asked: answer(200, msgspec.json.encode(bodies[asked.path.rpartition("/")[2]]))
    collected = await collector.collect(target())
    assert collected.snapshot is not None
    assert collected.snapshot.plan_title == "Moderato"
    await collector.collect(target(), with_profile=True)
    assert snapshots.latest()["work"].plan_title == "Vivace"
    await collector.collect(target())
    assert snapshots.latest()["work"].plan_title == "Vivace"


async def test_a_new_shape_is_an_event_of_names_told_once(
    collector: Collector, store: Store, loopback: LoopbackServer, target: MakeTarget, clock: Any
) -> None:
    from perilune.store.events import recent

    plain = {"usages": {"limit_5h": {"used_ratio": 0.5}}}
    odd = {"usages": {"limit_5h": {"used_ratio": 0.5}, "limit_7d": {"used_ratio": "soon"}}, "novelty": "never-shown"}
    for body in (plain, odd, odd, plain, odd):
        loopback.reply = lambda asked, body=body: answer(200, msgspec.json.encode(body))  # type: ignore[misc]
        clock.pass_(minutes=5)
        collected = await collector.collect(target())
        assert collected.snapshot is not None
        assert str(next(one for one in collected.snapshot.windows if one.id == "5h").used_ratio) == "0.5"
    with store.read() as connection:
        told = [event for event in recent(connection, 10) if event.kind == "drift"]
    assert [event.document for event in told] == ['{"fields":"usages.limit_7d, novelty","count":2}'] * 2
