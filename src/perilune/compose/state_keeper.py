"""Keeps the gateway's open scopes in the store, so that they outlive a process."""

import os
from collections.abc import Callable
from datetime import datetime

import msgspec

from perilune.compose.background import Background
from perilune.core.errors import StoreError
from perilune.gateway.states import ScopeState
from perilune.store import states
from perilune.store.engine import Store


class StateKeeper:
    """The gateway's `StateStore`: writes behind, permits at once."""

    def __init__(self, store: Store, background: Background, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._background = background
        self._clock = clock
        self._owner = f"{os.getpid()}"

    def restored(self) -> tuple[ScopeState, ...]:
        """What an earlier process left open."""
        with self._store.read() as connection:
            rows = states.all_states(connection)
        return tuple(msgspec.json.decode(row.document, type=ScopeState) for row in rows)

    def save(self, state: ScopeState) -> None:
        """Keep a state that opened or changed."""
        row = states.StateRow(
            scope=state.scope,
            state="open",
            reason=state.reason.value,
            since=state.since,
            until=state.until,
            code=state.code,
            document=msgspec.json.encode(state).decode(),
        )
        at = self._clock()

        def write() -> None:
            with self._store.begin() as connection:
                states.save(connection, row, at)

        self._background.submit(write)

    def remove(self, scope: str) -> None:
        """Forget a scope that closed."""

        def write() -> None:
            with self._store.begin() as connection:
                states.remove(connection, scope)

        self._background.submit(write)

    def take_permit(self, scope: str, until: datetime) -> bool:
        """The right to the one half-open request. A store that does not answer gives it: one try too many is cheap."""
        try:
            with self._store.begin() as connection:
                return states.take_permit(connection, scope, self._owner, self._clock(), until)
        except StoreError:
            return True

    def return_permit(self, scope: str) -> None:
        """Give the right back."""

        def write() -> None:
            with self._store.begin() as connection:
                states.return_permit(connection, scope, self._owner)

        self._background.submit(write)
