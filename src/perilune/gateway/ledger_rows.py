"""Ledger rows from what the gateway hands over: tuples in the order of the tables' columns."""

from collections.abc import Sequence
from typing import Any

from perilune.dialects.usage import Usage
from perilune.gateway.pricing import Charge, Pricing, amount_text
from perilune.gateway.record import AttemptRecord, RequestRecord
from perilune.store.times import to_ms

Row = tuple[Any, ...]

_CUT = ("stream_cut", "client_gone", "timeout_idle", "timeout_total", "timeout_first")
_NO_USAGE = Usage()
_LONGEST_NAME = 200
_LONGEST_WORDS = 400


def request_row(request: RequestRecord, attempts: Sequence[AttemptRecord], charge: Charge) -> Row:
    """The row of one request. What a client or a vendor wrote is cut to its column: no row is lost for that."""
    last = attempts[-1] if attempts else None
    usage = request.usage or _NO_USAGE
    return (
        request.id,
        to_ms(request.received_at),
        to_ms(request.ended_at),
        request.owner,
        request.key_id,
        request.purpose,
        request.run,
        request.unit,
        request.stage,
        request.session,
        request.route,
        None if last is None or request.account is None else _slot(last),
        request.surface,
        None if last is None else last.surface,
        _cut(request.model_asked),
        request.is_stream,
        request.account,
        _cut(request.model_served),
        request.outcome,
        request.status,
        request.code,
        request.attempts,
        request.queued_ms,
        request.first_content_ms,
        request.total_ms,
        usage.input_total,
        usage.cache_read,
        usage.cache_write,
        usage.output_total,
        usage.reasoning,
        request.is_estimated,
        request.outcome in _CUT and any(attempt.was_sent for attempt in attempts),
        amount_text(charge.amount),
        charge.currency,
        charge.unit,
        charge.label,
        None if last is None else _cut(last.vendor_request_id),
        ",".join(request.adjusted) or None,
        request.bytes_in,
        request.bytes_out,
    )


def attempt_rows(
    request: RequestRecord, attempts: Sequence[AttemptRecord], charge: Charge, pricing: Pricing
) -> list[Row]:
    """The rows of its attempts. The last one on the account that served carries the request's cost."""
    served = 0
    for attempt in attempts:
        if attempt.was_sent and attempt.account == request.account:
            served = attempt.number
    return [
        (
            request.id,
            attempt.number,
            to_ms(attempt.started_at),
            attempt.account,
            _cut(attempt.model),
            attempt.surface,
            attempt.outcome,
            attempt.status,
            attempt.code,
            attempt.was_sent,
            attempt.total_ms,
            attempt.first_content_ms,
            _cut(attempt.vendor_request_id),
            amount_text(pricing.attempt_cost(attempt, attempt.number == served, charge)),
            _cut(attempt.words, _LONGEST_WORDS),
        )
        for attempt in attempts
    ]


def _slot(attempt: AttemptRecord) -> str:
    return f"{attempt.account}/{attempt.model}" if attempt.model else attempt.account


def _cut(text: str | None, longest: int = _LONGEST_NAME) -> str | None:
    return text if text is None or len(text) <= longest else text[:longest]
