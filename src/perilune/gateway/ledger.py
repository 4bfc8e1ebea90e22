"""The ledger's writer: rows go through a bounded buffer and are written in batches by a thread of its own.

Rows are made where they are recorded, behind the answer: a thread that makes many of them at once would hold up the
loop by holding the interpreter. What is left to the thread is done by the database's library.

Recording never waits. A crash loses what was recorded in the last quarter of a second; a full buffer drops and counts.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from sqlalchemy import Connection

from perilune.core.errors import Problem, StoreError
from perilune.gateway.ledger_rows import Row, attempt_rows, plain_rows, request_row
from perilune.gateway.pricing import Charge, Pricing
from perilune.gateway.record import AttemptRecord, PlainRecord, RequestRecord
from perilune.store.engine import Store
from perilune.store.ledger import insert_in_bulk

_LINGER_S = 0.15  # of the 250 ms that a crash may lose, the rest is for writing
_BATCH = 500
_CAPACITY = 10_000

_Settling = tuple[RequestRecord, Charge] | None
_Entry = tuple[Row, list[Row], _Settling]

_log = logging.getLogger(__name__)


class LedgerWriter:
    """Takes rows from any thread. `dropped` counts rows that found the buffer full, `problem` is the store's last one.

    `on_written` is called in the writer's thread after each batch, with the number of requests in it; `settle` within
    the batch's transaction for each request that counts against budgets.
    """

    def __init__(
        self,
        store: Store,
        pricing: Pricing,
        *,
        capacity: int = _CAPACITY,
        on_written: Callable[[int], None] | None = None,
        settle: Callable[[Connection, RequestRecord, Charge], None] | None = None,
    ) -> None:
        self.dropped = 0
        self.written = 0
        self.problem: Problem | None = None
        self._store = store
        self._pricing = pricing
        self._capacity = capacity
        self._on_written = on_written
        self._settle = settle
        self._buffer: deque[_Entry] = deque()
        self._something = threading.Event()
        self._now = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="perilune-ledger", daemon=True)
        self._thread.start()

    def record(self, request: RequestRecord, attempts: Sequence[AttemptRecord]) -> None:
        """Keep one request with its attempts."""
        if len(self._buffer) >= self._capacity:
            self.dropped += 1
            return
        try:
            charge = self._pricing.charge(request)
            tries = attempt_rows(request, attempts, charge, self._pricing)
            settling = (request, charge) if request.counts else None
            self._keep((request_row(request, attempts, charge), tries, settling))
        except Exception:  # noqa: BLE001 what cannot be counted must not end the request it is about
            self._drop()

    def record_plain(self, plain: PlainRecord) -> None:
        """Keep a request that was answered at its first attempt."""
        if len(self._buffer) >= self._capacity:
            self.dropped += 1
            return
        try:
            self._keep((*plain_rows(plain, self._pricing), None))
        except Exception:  # noqa: BLE001 as above
            self._drop()

    def _drop(self) -> None:
        _log.exception("a ledger row cannot be made and is dropped")
        self.dropped += 1

    def _keep(self, rows: _Entry) -> None:
        buffer = self._buffer
        buffer.append(rows)
        waiting = len(buffer)
        if waiting == 1:
            self._something.set()
        elif waiting == _BATCH:
            self._now.set()

    @property
    def buffered(self) -> int:
        """How many requests are not written yet."""
        return len(self._buffer)

    def close(self) -> None:
        """Write what is left and end. What the store refuses now is lost and counted."""
        self._is_closing = True
        self._now.set()
        self._something.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_closing:
            self._something.wait()
            self._now.wait(_LINGER_S)
            self._now.clear()
            self._something.clear()
            self._write_all()
        while self._buffer and self._write_batch():
            pass
        self.dropped += len(self._buffer)

    def _write_all(self) -> None:
        """Write what is there now; what came meanwhile, or cannot be written, is for the next turn."""
        for _ in range(-(-len(self._buffer) // _BATCH)):
            if not self._write_batch():
                break
        if self._buffer:
            self._something.set()

    def _write_batch(self) -> bool:
        batch = list(islice(self._buffer, _BATCH))
        try:
            self._insert(batch)
        except StoreError as error:
            if self.problem is None:
                _log.warning("the ledger waits: %s", error.problem.code)
            self.problem = error.problem
            return False
        except Exception:  # noqa: BLE001 one row that cannot be written takes neither the others nor the writer with it
            self._write_one_by_one(batch)
        self.problem = None
        self._forget(len(batch))
        if self._on_written is not None:
            self._on_written(len(batch))
        return True

    def _write_one_by_one(self, batch: list[_Entry]) -> None:
        for entry in batch:
            try:
                self._insert([entry])
            except Exception:  # noqa: BLE001 the loop goes on with the next row
                _log.exception("a ledger row cannot be written and is dropped")
                self.dropped += 1

    def _insert(self, batch: list[_Entry]) -> None:
        requests = [request for request, _, _ in batch]
        attempts = [row for _, rows, _ in batch for row in rows]
        with self._store.begin() as connection:
            insert_in_bulk(connection, requests, attempts)
            for _, _, settling in batch:
                if settling is not None and self._settle is not None:
                    self._settle(connection, *settling)
        self.written += len(batch)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._buffer.popleft()
