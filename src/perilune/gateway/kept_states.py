"""States of scopes kept in the store: changes are written behind, permits are asked for at once."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

import msgspec

from perilune.core.decoding import decoded
from perilune.core.errors import StoreError
from perilune.gateway.states import ScopeState
from perilune.store import states
from perilune.store.engine import Store
from perilune.store.states import StateRow

_RETRY_S = 0.5

_log = logging.getLogger(__name__)


class KeptStates:
    """Keeps what `States` hands over. `owner` names this process to the others, for permits.

    A permit is one short write on the caller's thread; `store` should wait for others only briefly. While the store
    cannot be used, a permit is given: two processes may then both try a scope, which costs one request. `changes`
    counts what was handed over, so that a reader in another thread can tell whether its reading is still the newest.
    """

    def __init__(self, store: Store, owner: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._owner = owner
        self._now = now
        self._pending: dict[str, ScopeState | None] = {}
        self._changed = threading.Condition()
        self.changes = 0
        self._is_closing = False
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="perilune-states", daemon=True)
        self._thread.start()

    def load(self) -> list[ScopeState]:
        """Every scope that is not closed, in this process or another, by what the store says and what it will say."""
        with self._changed:
            pending = dict(self._pending)  # before the rows: what is written meanwhile is in both, never in neither
        with self._store.read() as connection:
            rows = states.all_states(connection)
        kept = {row.scope: state for row in rows if (state := _decoded(row)) is not None}
        found = kept | pending
        return [state for state in found.values() if state is not None]

    def save(self, state: ScopeState) -> None:
        self._put(state.scope, state)

    def remove(self, scope: str) -> None:
        self._put(scope, None)

    def take_permit(self, scope: str, until: datetime) -> bool:
        try:
            with self._store.begin() as connection:
                return states.take_permit(connection, scope, self._owner, self._now(), until)
        except StoreError as error:
            _log.warning("a permit is given without the store: %s", error.problem.code)
            return True

    def return_permit(self, scope: str) -> None:
        try:
            with self._store.begin() as connection:
                states.return_permit(connection, scope, self._owner)
        except StoreError as error:
            _log.warning("a permit runs out by itself: %s", error.problem.code)

    def close(self) -> None:
        """Write what is left and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()

    def _put(self, scope: str, state: ScopeState | None) -> None:
        with self._changed:
            self._pending[scope] = state
            self.changes += 1
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._is_closing, None)
                pending, is_closing = dict(self._pending), self._is_closing
            self._write(pending)
            if is_closing:
                return
            if self._is_failing:
                with self._changed:
                    self._changed.wait_for(lambda: self._is_closing, _RETRY_S)

    def _write(self, pending: dict[str, ScopeState | None]) -> None:
        if not pending:
            return
        try:
            with self._store.begin() as connection:
                for scope, state in pending.items():
                    if state is None:
                        states.remove(connection, scope)
                    else:
                        states.save(connection, _row(state), self._now())
        except StoreError as error:
            if not self._is_failing:
                _log.warning("states are not kept: %s", error.problem.code)
            self._is_failing = True
            return
        self._is_failing = False
        with self._changed:
            for scope, state in pending.items():
                if self._pending.get(scope, _NEVER) is state:
                    del self._pending[scope]


_NEVER = object()


def _row(state: ScopeState) -> StateRow:
    return StateRow(
        scope=state.scope, state="open", reason=state.reason.value, code=state.code, since=state.since,
        until=state.until, document=msgspec.json.encode(state).decode(),
    )  # fmt: skip


def _decoded(row: StateRow) -> ScopeState | None:
    try:
        return decoded(row.document, ScopeState)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None  # written by another version
