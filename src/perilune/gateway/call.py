"""What goes into the gateway and what comes out: a call, its attempts, a reply."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct, field

from perilune.core.errors import Problem
from perilune.dialects.form import Dialect
from perilune.dialects.usage import Usage
from perilune.gateway.admission import Priority
from perilune.gateway.budgets import KeyLimits
from perilune.gateway.clocks import Clocks
from perilune.providers.contract.outcome import Outcome


class Call(Struct, kw_only=True):
    """One request to a model.

    Shape: `body` in the dialect of `front`; header names lower case; `owner`, `key_id` and
    `limits` say who asks and what a key allows; `clocks`
    overrides the configured ones; `route` asks for one route by name instead of matching; `insists` sends exactly one
    attempt, whatever readings and earlier refusals say against the slot; `purpose`, `run`, `unit` and
    `stage` are for the ledger.
    """

    front: Dialect
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    owner: str = "local"
    key_id: str | None = None
    limits: KeyLimits | None = None
    priority: Priority = Priority.INTERACTIVE
    clocks: Clocks | None = None
    route: str | None = None
    insists: bool = False
    purpose: str = "client"
    run: str | None = None
    unit: str | None = None
    stage: str | None = None


class Attempt(Struct, kw_only=True):
    """One try of one slot, or its skipping. Units: `…_ms` milliseconds from the attempt's start."""

    slot: str
    account: str
    model: str | None
    surface: str | None
    outcome: Outcome
    started_at: datetime
    was_sent: bool = False
    is_skipped: bool = False
    total_ms: int | None = None
    first_content_ms: int | None = None


class Chunks(Protocol):
    """A stream of bytes that holds things while it runs."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes."""
        ...

    async def aclose(self) -> None:
        """Give back what is held; harmless after the end."""
        ...


class Reply(Struct, kw_only=True):
    """What the caller gets: a whole body, or chunks that are read to their end or closed.

    Shape: `problem` says what went wrong where no slot answered; `attempts`, `usage` and `served_model` of a stream are
    complete once its chunks are. `is_cut` says that a stream ended with an error event.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    chunks: Chunks | None = None
    request_id: str = ""
    route: str | None = None
    account: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    usage: Usage | None = None
    served_model: str | None = None
    problem: Problem | None = None
    is_cut: bool = False
