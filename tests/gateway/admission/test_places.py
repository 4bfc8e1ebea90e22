"""One contract for every backend: no place twice, never more than the cap, freed when told or when the holder dies."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.gateway.admission.conftest import BACKENDS, SHARED

from perilune.core.errors import StoreError
from perilune.gateway.admission.backends import choose_places, is_on_network_disk, runtime_folder
from perilune.gateway.admission.port import Places
from perilune.gateway.admission.process import is_alive, started, this_process
from perilune.gateway.admission.rows import EXPIRY_MS, RowPlaces
from perilune.store.engine import Store, open_store

Make = Callable[[str], Places]


def _take_all(places: Places, cap: int, reserved: int = 0, *, may: bool = True, group: str = "g") -> list[int]:
    taken = []
    while (place := places.take(group, cap, reserved, may_use_reserved=may)) is not None:
        taken.append(place)
    return taken


@pytest.mark.parametrize("name", BACKENDS)
def test_as_many_as_the_cap_and_each_place_once(make_places: Make, name: str) -> None:
    places = make_places(name)
    assert sorted(_take_all(places, 5)) == [0, 1, 2, 3, 4]
    assert places.occupied("g") == 5
    places.give_back("g", 3)
    assert places.occupied("g") == 4
    assert _take_all(places, 5) == [3]


@pytest.mark.parametrize("name", BACKENDS)
def test_groups_do_not_share_places(make_places: Make, name: str) -> None:
    places = make_places(name)
    assert len(_take_all(places, 2, group="a")) == 2
    assert len(_take_all(places, 2, group="b")) == 2


@pytest.mark.parametrize("name", BACKENDS)
def test_reserved_places_are_kept_for_those_who_may(make_places: Make, name: str) -> None:
    places = make_places(name)
    assert sorted(_take_all(places, 5, 2, may=False)) == [0, 1, 2]
    assert _take_all(places, 5, 2) == [3, 4]


@pytest.mark.parametrize("name", BACKENDS)
def test_those_who_may_take_reserved_places_first(make_places: Make, name: str) -> None:
    places = make_places(name)
    assert [places.take("g", 5, 2, may_use_reserved=True) for _ in range(2)] == [3, 4]
    assert sorted(_take_all(places, 5, 2, may=False)) == [0, 1, 2]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_lowered_cap_grants_nothing_until_enough_have_ended(make_places: Make, name: str) -> None:
    places = make_places(name)
    held = _take_all(places, 8)
    for place in (0, 1, 2, 3):
        places.give_back("g", place)
    assert places.take("g", 4, 0, may_use_reserved=True) is None
    places.give_back("g", held[-1])
    assert _take_all(places, 4) != []
    assert places.occupied("g") == 4


@pytest.mark.parametrize("name", SHARED)
def test_two_holders_share_one_cap(make_places: Make, name: str) -> None:
    one, other = make_places(name), make_places(name)
    first = _take_all(one, 5)[:3]
    for place in first:
        one.give_back("g", place)
    assert len(_take_all(other, 5)) == 3
    assert one.take("g", 5, 0, may_use_reserved=True) is None
    assert one.occupied("g") == other.occupied("g") == 5


@pytest.mark.parametrize("name", SHARED)
def test_places_of_others_beyond_a_lowered_cap_count(make_places: Make, name: str) -> None:
    one, other = make_places(name), make_places(name)
    for place in _take_all(one, 10)[:2]:
        one.give_back("g", place)
    assert other.take("g", 8, 0, may_use_reserved=True) is None
    assert other.occupied("g") == 8


@pytest.mark.parametrize("name", SHARED)
def test_scattered_places_are_counted_and_found(make_places: Make, name: str) -> None:
    one, other = make_places(name), make_places(name)
    _take_all(one, 12)
    for place in (1, 4, 5, 9):
        one.give_back("g", place)
    assert sorted(_take_all(other, 12)) == [1, 4, 5, 9]


@pytest.mark.parametrize("name", SHARED)
def test_a_closed_holder_leaves_nothing_behind(make_places: Make, name: str) -> None:
    one, other = make_places(name), make_places(name)
    _take_all(one, 5)
    one.close()
    assert len(_take_all(other, 5)) == 5


_HOLDER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[4:]
from perilune.gateway.admission.locks import LockedPlaces
from perilune.gateway.admission.rows import RowPlaces
from perilune.store.engine import open_store
folder = Path(sys.argv[2])
places = LockedPlaces(folder / "run") if sys.argv[1] == "locks" else RowPlaces(open_store(folder / "perilune.sqlite3"))
for _ in range(int(sys.argv[3])):
    assert places.take("g", 30, 0, may_use_reserved=True) is not None
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.case("gateway AD-06")
@pytest.mark.parametrize("name", [name for name in SHARED if name != "redis"])
def test_places_of_a_killed_process_are_free_at_once_or_within_a_second(
    make_places: Make, name: str, tmp_path: Path
) -> None:
    places = make_places(name)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, name, str(tmp_path), "15", *sys.path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == "held\n"
        assert len(_take_all(places, 30)) == 15
        holder.kill()
        holder.wait(timeout=10)
    freed = _take_all(places, 30)
    if name == "rows":  # within a second: it is looked for the dead twice a second
        for _ in range(10):
            time.sleep(0.1)
            freed += _take_all(places, 30)
    assert len(freed) == 15
    assert places.occupied("g") == 30


def _rows(store: Store, now: list[int]) -> RowPlaces:
    return RowPlaces(store, wall_ms=lambda: now[0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "perilune.sqlite3", busy_timeout_s=0.05)


def test_a_row_that_was_not_prolonged_expires_and_its_holder_hears_of_it(store: Store) -> None:
    now = [1_000_000]
    asleep, other = _rows(store, now), _rows(store, now)
    lost: list[tuple[str, int]] = []
    asleep.lost = lambda group, place: lost.append((group, place))
    place = asleep.take("g", 1, 0, may_use_reserved=True)
    now[0] += EXPIRY_MS + 1
    assert other.take("g", 1, 0, may_use_reserved=True) == place
    asleep.heartbeat()
    assert lost == [("g", place)]
    for places in (asleep, other):
        places.close()
    store.close()


def test_a_heartbeat_keeps_rows(store: Store) -> None:
    now = [1_000_000]
    places, other = _rows(store, now), _rows(store, now)
    assert places.take("g", 1, 0, may_use_reserved=True) == 0
    for _ in range(5):
        now[0] += EXPIRY_MS - 1
        places.heartbeat()
    assert other.take("g", 1, 0, may_use_reserved=True) is None
    for each in (places, other):
        each.close()
    store.close()


def test_a_locked_store_is_no_place_now_and_a_full_one_counts_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = RowPlaces(store)
    with store.begin():
        assert places.take("g", 2, 0, may_use_reserved=True) is None
        assert not places.is_degraded
    with monkeypatch.context() as patch:
        patch.setattr(Store, "begin", _no_space)
        assert len(_take_all(places, 2)) == 2
        assert places.is_degraded
        places.give_back("g", -1)
        assert _take_all(places, 2) == [-1]
    for place in (-1, -2):
        places.give_back("g", place)
    assert _take_all(places, 2) == [0, 1]
    assert not places.is_degraded
    places.close()
    store.close()


def _no_space(self: Store) -> None:
    raise StoreError.of("PL-STORE-FULL", path=str(self.path), folder="/")


def test_a_place_that_could_not_be_given_back_is_given_back_later(store: Store) -> None:
    places = RowPlaces(store)
    assert places.take("g", 1, 0, may_use_reserved=True) == 0
    with store.begin():
        places.give_back("g", 0)
    places.heartbeat()
    assert places.occupied("g") == 0
    places.close()
    store.close()


def test_this_process_is_alive_and_a_later_one_with_its_number_is_another() -> None:
    me = this_process()
    assert is_alive(me.pid, me.process_started)
    if sys.platform == "linux":
        assert not is_alive(me.pid, me.process_started + 1)
        assert started(me.pid) == me.process_started


def test_a_process_that_ended_is_not_alive() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(timeout=10)
    assert not is_alive(ended.pid, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="byte locks are used on Linux")
def test_linux_uses_locks_in_a_private_runtime_folder(tmp_path: Path, store: Store) -> None:
    environment = {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
    (tmp_path / "run").mkdir(mode=0o700)
    chosen = choose_places(environment, store)
    assert chosen.is_instant
    assert chosen.take("work", 1, 0, may_use_reserved=True) == 0
    names = sorted(file.name for file in (tmp_path / "run" / "perilune").iterdir())
    assert len(names) == 2
    assert "work" not in "".join(names)
    chosen.close()
    store.close()


@pytest.mark.skipif(sys.platform != "linux", reason="byte locks are used on Linux")
def test_a_runtime_folder_that_others_may_enter_is_not_used(tmp_path: Path, store: Store) -> None:
    (tmp_path / "run" / "perilune").mkdir(parents=True)
    (tmp_path / "run" / "perilune").chmod(0o777)
    chosen = choose_places({"XDG_RUNTIME_DIR": str(tmp_path / "run")}, store)
    assert isinstance(chosen, RowPlaces)
    chosen.close()
    store.close()


def test_the_runtime_folder_does_not_depend_on_the_home() -> None:
    assert runtime_folder({"XDG_RUNTIME_DIR": "/r", "HOME": "/a"}, 7) == Path("/r/perilune")
    assert str(runtime_folder({}, 4_000_000)) == "/tmp/perilune-4000000"


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="the system lists no mounts")
def test_the_folder_of_this_test_is_on_a_local_disk(tmp_path: Path) -> None:
    assert not is_on_network_disk(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="byte locks are used on Linux")
def test_without_locks_places_are_counted_alone_and_requests_go_on(
    make_places: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perilune.gateway.admission.lockfile import LockFile

    places = make_places("locks")
    assert _take_all(places, 4)[:1]
    places.give_back("g", 0)
    with monkeypatch.context() as patch:
        patch.setattr(LockFile, "try_lock", _no_locks)
        alone = _take_all(places, 4)
        assert alone == [-1]
        places.give_back("g", -1)
        assert _take_all(places, 4) == [-1]
        places.give_back("g", -1)
    assert _take_all(places, 4) == [0]


def _no_locks(self: object, byte: int) -> bool:
    raise OSError(37, "No locks available")


@pytest.mark.skipif(sys.platform != "linux", reason="byte locks are used on Linux")
def test_a_runtime_folder_that_is_gone_is_made_again(make_places: Make, tmp_path: Path) -> None:
    places = make_places("locks")
    assert places.take("a", 1, 0, may_use_reserved=True) == 0
    shutil.rmtree(tmp_path / "run")
    assert places.take("b", 1, 0, may_use_reserved=True) == 0
    assert places.take("a", 1, 0, may_use_reserved=True) is None
