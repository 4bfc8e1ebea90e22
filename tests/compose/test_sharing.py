"""What one process takes over from another over the store."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perilune.catalog.load import load
from perilune.compose.sharing import Sharing
from perilune.gateway.kept_states import KeptStates
from perilune.gateway.key_book import StoredKeyBook
from perilune.gateway.purse import Limits, StoredPurse
from perilune.gateway.state_rules import Reopens
from perilune.gateway.states import ScopeState, States
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.store.engine import Store, open_store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STATE = ScopeState(scope="account:work", reason=Is.AUTH_REFUSED, since=NOW, reopens=Reopens.EVIDENCE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "perilune.db")
    yield opened
    opened.close()


def process(store: Store, name: str) -> tuple[Sharing, KeptStates, States]:
    kept = KeptStates(store, name, lambda: NOW)
    states = States(kept)
    purse = StoredPurse(store, load, lambda: NOW, Limits())
    return Sharing(StoredKeyBook(store, lambda: NOW), kept, states, purse), kept, states


async def test_a_scope_that_another_process_opened_and_closed_is_known_here(store: Store) -> None:
    _, theirs, _ = process(store, "theirs")
    sharing, ours, states = process(store, "ours")
    theirs.save(STATE)
    theirs.close()
    await sharing.look()
    assert states.all() == [STATE]
    _, again, _ = process(store, "again")
    again.remove(STATE.scope)
    again.close()
    await sharing.look()
    assert states.all() == []
    ours.close()


async def test_what_changed_here_while_the_store_was_read_is_not_taken_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sharing, kept, states = process(store, "ours")
    load = kept.load

    def slow() -> list[ScopeState]:
        found = load()
        kept.save(STATE)
        states.restore([STATE])
        return found

    monkeypatch.setattr(kept, "load", slow)
    await sharing.look()
    assert states.all() == [STATE]
    kept.close()
