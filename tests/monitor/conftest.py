"""A store, a clock that stands still until it is moved, and vendors that answer what the test says."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.loopback import LoopbackServer, loopback_server
from tests.support.samples import KEYS, NOW, binding

from perilune.core.errors import CredentialError
from perilune.monitor.collect import Collector
from perilune.monitor.target import Target
from perilune.net.control import ControlClient
from perilune.quota.held import Known
from perilune.store.engine import Store, open_store
from perilune.store.snapshots import Snapshots


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


MakeTarget = Callable[..., Target]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "perilune.db")
    yield opened
    opened.close()


@pytest.fixture
def snapshots(store: Store) -> Snapshots:
    return Snapshots(store)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackServer]:
    async with loopback_server() as server:
        yield server


@pytest.fixture
async def client(loopback: LoopbackServer) -> AsyncIterator[ControlClient]:
    async with ControlClient(upstream=loopback.url, retry_pause_s=(0, 0)) as control:
        yield control


@pytest.fixture
def collector(snapshots: Snapshots, client: ControlClient, clock: Clock) -> Collector:
    return Collector(snapshots, client, clock=clock, owner="one")


@pytest.fixture
def target() -> MakeTarget:
    def make(name: str = "work", key: str | None = KEYS["kimi-code"]) -> Target:
        def bind():  # type: ignore[no-untyped-def]
            if key is None:
                raise CredentialError.of("PL-CRED-NONE", account=name)
            return binding(key=key)

        bound = binding()
        known = Known(name=name, plan="kimi-code", region="cn", vendor="Kimi")
        return Target(known=known, host=bound.host, bind=lambda: _named(bind(), name))

    return make


def _named(bound, name):  # type: ignore[no-untyped-def]
    from msgspec.structs import replace

    return replace(bound, account=name)
