"""Thoughts that outlive this process and are known to all: written before an answer's last byte, read when missed.

What is in memory is never looked for; the store is asked in a thread, once for each turn that memory does not know.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from perilune.core.errors import RequestError, StoreError
from perilune.dialects.form import Dialect, Reasoning, ToolCall
from perilune.dialects.head import Body
from perilune.dialects.keys import History
from perilune.dialects.seal import Seal, Sealed
from perilune.dialects.target import TurnKeys
from perilune.dialects.translate import parse_request
from perilune.gateway.thoughts import ThoughtStore
from perilune.store import thoughts as rows
from perilune.store.engine import Store
from perilune.store.thoughts import ThoughtRow

KEPT_FOR = timedelta(hours=24)
_SWEEP_EVERY = timedelta(hours=1)
_MOST_ABSENT = 50_000
_log = logging.getLogger(__name__)


class SharedThoughts(ThoughtStore):
    """The store of thoughts over a database. Belongs to one event loop; `store` should wait for others only briefly."""

    is_shared = True

    def __init__(self, store: Store, seal: Seal, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._store = store
        self._seal = seal
        self._now = now
        self._writing: set[asyncio.Task[None]] = set()
        self._absent: OrderedDict[TurnKeys, None] = OrderedDict()
        self._swept_at = now()

    def keep(self, keys: TurnKeys, thought: Reasoning, session: str | None) -> None:
        """Remember the thought of one turn, and begin to write it."""
        super().keep(keys, thought, session)
        task = asyncio.ensure_future(asyncio.to_thread(self._write, keys, thought, session))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def written(self) -> None:
        """Until everything that was begun is written."""
        if self._writing:
            await asyncio.wait(set(self._writing))

    async def fetch(self, front: Dialect, body: Body, session: str | None) -> None:
        """Bring in what other processes, or this one before a restart, kept of this conversation."""
        if "tools" not in body.members:
            return
        try:
            asked = _calling_turns(front, body)
        except RequestError:
            return  # whoever translates the body says so
        missing = [keys for keys in asked if not self.knows(keys) and keys not in self._absent]
        if not missing:
            return
        for row in await asyncio.to_thread(self._read, missing, session):
            self._take(row)
        for keys in missing:
            if not self.knows(keys):
                self._absent[keys] = None
        while len(self._absent) > _MOST_ABSENT:
            self._absent.popitem(last=False)

    def _take(self, row: ThoughtRow) -> None:
        opened = self._seal.open(row.sealed)
        if opened is None:
            return
        keys = TurnKeys(bytes.fromhex(row.history), bytes.fromhex(row.turn))
        super().keep(keys, Reasoning(opened.text, opened.signature, origin=opened.family), row.session)

    def _write(self, keys: TurnKeys, thought: Reasoning, session: str | None) -> None:
        sealed = self._seal.seal(Sealed(thought.text, thought.origin, thought.signature))
        row = ThoughtRow(history=keys.history.hex(), turn=keys.turn.hex(), session=session, sealed=sealed)
        now = self._now()
        try:
            with self._store.begin() as connection:
                rows.keep(connection, [row], now)
                if now - self._swept_at > _SWEEP_EVERY:
                    self._swept_at = now
                    rows.forget_before(connection, now - KEPT_FOR)
        except StoreError as error:
            _log.warning("a thought is kept in this process alone: %s", error.problem.code)

    def _read(self, missing: Sequence[TurnKeys], session: str | None) -> list[ThoughtRow]:
        places = [(keys.history.hex(), keys.turn.hex()) for keys in missing]
        try:
            with self._store.read() as connection:
                return rows.find(connection, places, session, self._now() - KEPT_FOR)
        except StoreError as error:
            _log.warning("thoughts of other processes are not seen: %s", error.problem.code)
            return []


def _calling_turns(front: Dialect, body: Body) -> list[TurnKeys]:
    """The keys of every turn of the model that calls tools."""
    history, found = History(), []
    for turn in parse_request(front, body.bytes).turns:
        if turn.role == "assistant" and any(isinstance(part, ToolCall) for part in turn.parts):
            found.append(history.keys(turn))
        history.add(turn)
    return found
