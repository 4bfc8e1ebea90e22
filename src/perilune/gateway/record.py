"""Ledger rows as the gateway hands them over: facts, no prompt, no answer, no reasoning."""

from datetime import datetime

from msgspec import Struct

from perilune.dialects.usage import Usage
from perilune.gateway.budgets import Count


class RequestRecord(Struct, frozen=True, kw_only=True):
    """One request. Shape: `session` is a digest; `account` None when nobody answered. Units: `…_ms` milliseconds.

    `overhead_ms` is our own part up to the answer's head; `counts` are the budgets that it is settled against.
    """

    id: str
    received_at: datetime
    ended_at: datetime
    owner: str
    key_id: str | None
    purpose: str
    run: str | None
    unit: str | None
    stage: str | None
    session: str | None
    route: str | None
    surface: str
    model_asked: str | None
    is_stream: bool
    account: str | None
    plan: str | None
    region: str | None
    model_served: str | None
    outcome: str
    status: int | None
    code: str | None
    attempts: int
    queued_ms: int | None
    first_content_ms: int | None
    total_ms: int
    usage: Usage | None
    is_estimated: bool
    adjusted: tuple[str, ...]
    bytes_in: int
    bytes_out: int
    counts: tuple[Count, ...] = ()
    priority: str = "interactive"
    overhead_ms: float | None = None


class AttemptRecord(Struct, frozen=True, kw_only=True):
    """One attempt. Units: `…_ms` milliseconds."""

    number: int
    started_at: datetime
    account: str
    model: str | None
    surface: str | None
    outcome: str
    status: int | None
    code: str | None
    was_sent: bool
    total_ms: int | None
    first_content_ms: int | None
    vendor_request_id: str | None
    words: str | None
