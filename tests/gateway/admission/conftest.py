"""Every backend that can be had here, and a clock that is moved by hand."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from perilune.gateway.admission.memory import MemoryPlaces
from perilune.gateway.admission.port import Places
from perilune.gateway.admission.rows import RowPlaces
from perilune.store.engine import open_store

HAS_REDIS = shutil.which("redis-server") is not None and find_spec("redis") is not None
BACKENDS = [
    "memory", "rows", *(["locks"] if sys.platform == "linux" else []), *(["redis"] if HAS_REDIS else []),
]  # fmt: skip
SHARED = [name for name in BACKENDS if name != "memory"]


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Redis:
    """A real server on a socket of its own, started when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "s"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is not None:
            return
        asked = ["redis-server", "--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(asked, stdout=subprocess.DEVNULL, cwd=self._socket.parent)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def pause(self) -> None:
        """Neither refuse nor answer, as a server behind a broken network does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def clear(self) -> None:
        """Forget everything."""
        with closing(self._client()) as client:
            client.flushall()

    def age(self, key: str) -> None:
        """Let every lease of a group have run out."""
        with closing(self._client()) as client:
            for member in client.zrange(key, 0, -1):
                client.zadd(key, {member: 1})

    def _client(self) -> Any:
        import redis

        return redis.Redis.from_url(self.url)

    def _answers(self) -> bool:
        import redis

        with closing(self._client()) as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, OSError):
                return False


@pytest.fixture(scope="session")
def _one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis_server(_one_redis: Redis) -> Redis:
    """The server, empty."""
    _one_redis.start()
    _one_redis.clear()
    return _one_redis


@pytest.fixture
def make_places(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Places]]:
    """Backends by name; each call is another holder of the same places, as another process would be."""
    made: list[Places] = []
    stores = []

    def make(name: str) -> Places:
        if name == "memory":
            places: Places = MemoryPlaces()
        elif name == "locks":
            from perilune.gateway.admission.locks import LockedPlaces

            places = LockedPlaces(tmp_path / "run")
        elif name == "redis":
            from perilune.gateway.admission.remote import remote_places

            places = remote_places(request.getfixturevalue("redis_server").url, MemoryPlaces(), f"host {len(made)}")
        else:
            stores.append(open_store(tmp_path / "perilune.sqlite3", busy_timeout_s=2))
            places = RowPlaces(stores[-1])
        made.append(places)
        return places

    yield make
    for places in made:
        places.close()
    for store in stores:
        store.close()
