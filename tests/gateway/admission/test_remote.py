"""Caps over hosts: what happens when the server that keeps them goes away, comes back, or forgets."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.admission.conftest import HAS_REDIS, Redis

from perilune.core.errors import ConfigError
from perilune.gateway.admission import Admission, Lease, MemoryPlaces
from perilune.gateway.admission import remote as remote_module
from perilune.gateway.admission.backends import choose_places
from perilune.gateway.admission.redis_leases import EXPIRY_MS, RedisLeases
from perilune.gateway.admission.remote import TIMEOUT_S, RemotePlaces
from perilune.store.engine import open_store

pytestmark = pytest.mark.skipif(not HAS_REDIS, reason="no redis-server here")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A server that this test may stop."""
    server = Redis(tmp_path_factory.mktemp("own"))
    server.start()
    yield server
    server.stop()


def _places(server: Redis, host: str, clock: Clock, **more: object) -> RemotePlaces:
    return RemotePlaces(lambda: RedisLeases(server.url, TIMEOUT_S), MemoryPlaces(), host, clock=clock, **more)  # type: ignore[arg-type]


def _take_all(places: RemotePlaces, cap: int) -> list[int]:
    taken = []
    while (place := places.take("g", cap, 0, may_use_reserved=True)) is not None:
        taken.append(place)
    return taken


@pytest.mark.case("gateway AD-17")
async def test_without_the_server_each_host_has_its_share_and_nobody_hangs(own_redis: Redis) -> None:
    clock = Clock()
    hosts = [_places(own_redis, f"host {number}", clock) for number in range(3)]
    for places in hosts:
        places.heartbeat()
    assert [places.hosts for places in hosts] == [3, 3, 3]
    own_redis.stop()
    doors = [Admission(places) for places in hosts]
    live: list[Lease] = []
    for door in doors:
        door.configure("g", 30)
        began = time.monotonic()
        while isinstance(lease := await door.acquire("g", deadline_s=0.2), Lease):
            live.append(lease)
        assert time.monotonic() - began < 5
    assert len(live) == 30
    assert [places.trouble for places in hosts] == ["divide"] * 3
    for lease in live:
        lease.release()
    for door in doors:
        door.close()


def test_a_call_that_the_server_does_not_answer_ends_within_a_quarter_of_a_second(own_redis: Redis) -> None:
    places = _places(own_redis, "a", Clock())
    assert places.take("g", 3, 0, may_use_reserved=True) == 0
    own_redis.pause()
    try:
        began = time.monotonic()
        assert places.take("g", 3, 0, may_use_reserved=True) is None
        assert places.trouble == "divide"
        assert places.take("g", 3, 0, may_use_reserved=True) is not None
        assert time.monotonic() - began < 0.25
    finally:
        own_redis.resume()
    places.close()


@pytest.mark.parametrize(("on_failure", "granted"), [("divide", 15), ("closed", 0), ("open", 30)])
def test_what_is_done_without_the_server_is_a_setting(own_redis: Redis, on_failure: str, granted: int) -> None:
    clock = Clock()
    one, other = (_places(own_redis, name, clock, on_failure=on_failure) for name in "ab")
    for places in (one, other):
        places.heartbeat()
    own_redis.stop()
    one.heartbeat()
    assert len(_take_all(one, 30)) == granted
    for places in (one, other):
        places.close()


def test_more_hosts_than_the_cap_leave_none_for_those_without_a_share(own_redis: Redis) -> None:
    clock = Clock()
    hosts = [_places(own_redis, str(number), clock) for number in range(3)]
    for places in hosts:
        places.heartbeat()
    own_redis.stop()
    hosts[0].heartbeat()
    assert _take_all(hosts[0], 2) == []
    for places in hosts:
        places.close()


def test_what_began_without_the_server_counts_once_it_is_back(own_redis: Redis) -> None:
    clock = Clock()
    one, other = (_places(own_redis, name, clock) for name in "ab")
    for places in (one, other):
        places.heartbeat()
    own_redis.stop()
    one.heartbeat()
    assert len(_take_all(one, 10)) == 5
    own_redis.start()
    for places in (one, other):
        places.heartbeat()
        assert places.trouble is None
    clock.now_s += 10
    assert other.occupied("g") == 5
    assert len(_take_all(other, 10)) == 5
    for places in (one, other):
        places.close()


def test_a_server_that_forgot_everything_is_told_what_is_live(own_redis: Redis) -> None:
    clock = Clock()
    places = _places(own_redis, "a", clock)
    lost: list[tuple[str, int]] = []
    places.lost = lambda group, place: lost.append((group, place))
    assert len(_take_all(places, 4)) == 4
    own_redis.clear()
    clock.now_s += 10
    places.heartbeat()
    assert places.occupied("g") == 4
    assert lost == []
    places.close()


def test_a_machine_that_slept_hears_which_leases_it_lost(own_redis: Redis) -> None:
    clock = Clock()
    asleep, other = (_places(own_redis, name, clock) for name in "ab")
    lost: list[tuple[str, int]] = []
    asleep.lost = lambda group, place: lost.append((group, place))
    place = asleep.take("g", 1, 0, may_use_reserved=True)
    own_redis.clear()  # its time ran out
    assert other.take("g", 1, 0, may_use_reserved=True) == place
    clock.now_s += EXPIRY_MS / 1000 + 1
    assert asleep.take("g", 1, 0, may_use_reserved=True) is None
    assert lost == [("g", place)]
    for places in (asleep, other):
        places.close()


def test_an_expired_lease_is_free_by_the_server_s_time(own_redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    one, other = (_places(own_redis, name, clock) for name in "ab")
    assert one.take("g", 1, 0, may_use_reserved=True) == 0
    own_redis.age("perilune:leases:g")
    assert other.take("g", 1, 0, may_use_reserved=True) == 0
    for places in (one, other):
        places.close()


async def test_a_lost_lease_tells_who_holds_it(own_redis: Redis) -> None:
    places = _places(own_redis, "a", Clock())
    door = Admission(places)
    door.configure("g", 1)
    lease = await door.acquire("g")
    assert isinstance(lease, Lease)
    told = asyncio.Event()
    lease.on_lost = told.set
    assert places.lost is not None
    await asyncio.to_thread(places.lost, "g", lease.place)
    async with asyncio.timeout(5):
        await told.wait()
    assert lease.is_lost
    lease.release()
    door.close()


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path / "perilune.sqlite3")
    with pytest.raises(ConfigError) as refused:
        choose_places({"PERILUNE_REDIS_URL": "localhost", "XDG_RUNTIME_DIR": str(tmp_path)}, store)
    assert refused.value.problem.code == "PL-CONFIG-VALUE"
    store.close()


def test_a_named_server_is_used_over_the_locks_of_this_host(tmp_path: Path, redis_server: Redis) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    store = open_store(tmp_path / "perilune.sqlite3")
    places = choose_places({"PERILUNE_REDIS_URL": redis_server.url, "XDG_RUNTIME_DIR": str(tmp_path / "run")}, store)
    assert isinstance(places, remote_module.RemotePlaces)
    assert len(_take_all(places, 3)) == 3
    places.close()
    store.close()
