"""What goes into the gateway and what comes out: a call, its attempts, a reply."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from perilune.dialects.form import Dialect
from perilune.dialects.usage import Usage
from perilune.gateway.clocks import Clocks
from perilune.providers.contract.outcome import Outcome

Priority = Literal["interactive", "review", "batch"]


class Call(Struct, kw_only=True):
    """One request to a model.

    Shape: `body` in the dialect of `front`; header names lower case; `owner` and `key_id` say who asks; `allows_model`
    and `allows_routes` come from a gateway key (None: all); `clocks` overrides the configured ones; `route` asks for one
    route by name instead of matching; `purpose`, `run`, `unit` and `stage` are for the ledger.
    """

    front: Dialect
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    owner: str = "local"
    key_id: str | None = None
    priority: Priority = "interactive"
    clocks: Clocks | None = None
    route: str | None = None
    purpose: str = "client"
    run: str | None = None
    unit: str | None = None
    stage: str | None = None
    max_concurrent: int | None = None


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
    usage: Usage | None = None


class Reply(Struct, kw_only=True):
    """What the caller gets: a whole body, or chunks that must be read to their end or closed.

    Shape: `outcome` is the last attempt's; for a stream it is complete once the chunks are.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    chunks: AsyncIterator[bytes] | None = None
    request_id: str = ""
    route: str | None = None
    account: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    usage: Usage | None = None
    problem: Any = None
