"""Ledger rows as the gateway hands them over: facts, no prompt, no answer, no reasoning."""

from datetime import datetime, timedelta

from msgspec import Struct

from perilune.dialects.usage import Usage
from perilune.gateway.budgets import Count


class RequestRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One request. Shape: `session` is a digest; `account` None when nobody answered. Units: `…_ms` milliseconds.

    `overhead_s` is our own part up to the answer's head; `counts` are the budgets that it is settled against.
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
    overhead_s: float | None = None


class AttemptRecord(Struct, frozen=True, kw_only=True, gc=False):
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


class Constant(Struct, kw_only=True):
    """What the records of plain requests of one form have in common. `memo` belongs to the ledger that is handed it."""

    owner: str
    key_id: str | None
    session: str | None
    route: str
    surface: str
    model_asked: str
    account: str
    plan: str
    region: str | None
    model: str
    adjusted: tuple[str, ...]
    priority: str = "interactive"
    memo: object = None


class PlainRecord(Struct, kw_only=True, gc=False):
    """A whole answer at the first attempt, by far the most frequent request. Units: `…_s` seconds.

    Shape: `rate` is what its tokens cost, for whoever counts it after the ledger has looked it up.
    """

    constant: Constant
    id: str
    received_at: datetime
    total_s: float
    attempt_s: float
    served: str | None
    usage: Usage | None
    bytes_in: int
    bytes_out: int
    rate: object = None


def records_of(plain: PlainRecord) -> tuple[RequestRecord, list[AttemptRecord]]:
    """The same as records of a request and its attempt."""
    fixed = plain.constant
    request = RequestRecord(
        id=plain.id,
        received_at=plain.received_at,
        ended_at=plain.received_at + timedelta(milliseconds=round(plain.total_s * 1000)),
        owner=fixed.owner,
        key_id=fixed.key_id,
        purpose="client",
        run=None,
        unit=None,
        stage=None,
        session=fixed.session,
        route=fixed.route,
        surface=fixed.surface,
        model_asked=fixed.model_asked,
        is_stream=False,
        account=fixed.account,
        plan=fixed.plan,
        region=fixed.region,
        model_served=plain.served or fixed.model,
        outcome="ok",
        status=200,
        code=None,
        attempts=1,
        queued_ms=0,
        first_content_ms=None,
        total_ms=round(plain.total_s * 1000),
        usage=plain.usage,
        is_estimated=False,
        adjusted=fixed.adjusted,
        bytes_in=plain.bytes_in,
        bytes_out=plain.bytes_out,
        priority=fixed.priority,
        overhead_s=max(plain.total_s - plain.attempt_s, 0.0),
    )
    attempt = AttemptRecord(
        number=1,
        started_at=plain.received_at,
        account=fixed.account,
        model=fixed.model,
        surface=fixed.surface,
        outcome="ok",
        status=200,
        code=None,
        was_sent=True,
        total_ms=round(plain.attempt_s * 1000),
        first_content_ms=None,
        vendor_request_id=None,
        words=None,
    )
    return request, [attempt]
