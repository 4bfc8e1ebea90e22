"""States that outlive the process and are shared by all."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from perilune.core.errors import StoreError
from perilune.gateway.kept_states import KeptStates
from perilune.gateway.states import ScopeState, States
from perilune.providers.contract.outcome import Outcome, OutcomeClass
from perilune.store.engine import Store, open_store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "perilune.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = open_store(path, busy_timeout_s=0.25)
    yield opened
    opened.close()


def _state(scope: str = "group:a") -> ScopeState:
    until = NOW + timedelta(hours=1)
    return ScopeState(scope=scope, reason=OutcomeClass.QUOTA_SPENT, since=NOW, until=until, code="PL-QUOTA-5H", step=2)


@pytest.mark.case("gateway CD-05")
def test_a_scope_that_is_open_is_still_open_after_a_restart(path: Path) -> None:
    before = open_store(path)
    kept = KeptStates(before, "one", lambda: NOW)
    states = States(kept)
    refused = Outcome(kind=OutcomeClass.BALANCE_EMPTY, code="PL-BALANCE-EMPTY")
    opened = states.failed(refused, lambda scope: f"{scope}:a", NOW)
    kept.close()
    before.close()

    after = open_store(path)
    again = KeptStates(after, "two", lambda: NOW)
    states = States(again)
    states.restore(again.load())
    assert opened is not None
    assert states.blocking([opened.scope], NOW + timedelta(hours=1)) == opened
    again.close()
    after.close()


@pytest.mark.case("gateway CD-06")
def test_of_two_processes_one_gets_the_permit(path: Path) -> None:
    stores = [open_store(path), open_store(path)]
    kept = [KeptStates(store, owner, lambda: NOW) for store, owner in zip(stores, ("one", "two"), strict=True)]
    states = [States(each) for each in kept]
    for each in states:
        each.restore([_state()])
    later = NOW + timedelta(hours=2)
    assert states[0].admit(["group:a"], later) == ("group:a",)
    assert states[1].admit(["group:a"], later) is None
    states[0].give_back(["group:a"])
    assert states[1].admit(["group:a"], later) == ("group:a",)
    for each, store in zip(kept, stores, strict=True):
        each.close()
        store.close()


def test_a_closed_scope_is_forgotten_and_what_is_not_written_yet_counts(store: Store) -> None:
    kept = KeptStates(store, "one", lambda: NOW)
    kept.save(_state())
    assert kept.load() == [_state()]
    kept.remove("group:a")
    assert kept.load() == []
    kept.save(_state("group:b"))
    kept.close()
    assert [state.scope for state in kept.load()] == ["group:b"]


class _Broken(Store):
    """A store that cannot be written until it is repaired."""

    is_broken = True

    def __init__(self, store: Store) -> None:
        super().__init__(store.engine, store.path)
        self.tried = threading.Event()

    def begin(self) -> Any:
        if self.is_broken:
            self.tried.set()
            raise StoreError.of("PL-STORE-FULL", path="p", folder="f")
        return super().begin()


def test_a_broken_store_gives_permits_and_gets_the_states_once_it_is_repaired(store: Store) -> None:
    broken = _Broken(store)
    kept = KeptStates(broken, "one", lambda: NOW)
    kept.save(_state())
    assert broken.tried.wait(20)
    assert kept.take_permit("group:a", NOW + timedelta(seconds=30))
    kept.return_permit("group:a")
    assert kept.load() == [_state()]
    broken.is_broken = False
    kept.close()
    other = KeptStates(store, "two", lambda: NOW)
    assert other.load() == [_state()]
    other.close()
