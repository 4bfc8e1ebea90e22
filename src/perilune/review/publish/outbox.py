"""The outbox: every write to a forge is a row first, so that it is done once whatever process ends in between."""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from msgspec import Struct

from perilune.forges.contract.port import Refs

SEND_WITHIN = timedelta(seconds=20)
RECONCILE_AFTER = timedelta(seconds=30)


class SendState(StrEnum):
    """Where a write stands."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class OutboxRow(Struct, frozen=True, kw_only=True):
    """One write. `run`, `kind` and `part` name it; `sent_at` is when `sending` was committed."""

    run: str
    kind: str
    part: str
    body_hash: str
    marker: str
    state: SendState = SendState.PENDING
    sent_at: datetime | None = None
    refs: Refs = Refs()
    words: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.run, self.kind, self.part


class Outbox(Protocol):
    """Where rows are kept. Calls are synchronous and made in threads."""

    def row(self, run: str, kind: str, part: str) -> OutboxRow | None: ...

    def keep(self, row: OutboxRow) -> None: ...

    def of_run(self, run: str) -> list[OutboxRow]: ...

    def supersede(self, run: str) -> int:
        """Marks what has not been sent; how many rows."""
        ...


def body_hash(*parts: str) -> str:
    """The digest of what is written."""
    return sha256("\0".join(parts).encode()).hexdigest()
