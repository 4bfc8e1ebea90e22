"""Ledger rows from what the gateway hands over."""

from collections.abc import Sequence
from typing import Any

from perilune.dialects.usage import Usage
from perilune.gateway.pricing import Charge, Pricing, amount_text
from perilune.gateway.record import AttemptRecord, RequestRecord
from perilune.store.times import to_ms

_CUT = ("stream_cut", "client_gone", "timeout_idle", "timeout_total", "timeout_first")
_SAME = (
    "id", "owner", "key_id", "purpose", "run", "unit", "session", "route", "surface", "model_asked", "is_stream",
    "account", "model_served", "outcome", "status", "code", "attempts", "queued_ms", "first_content_ms", "total_ms",
    "is_estimated", "bytes_in", "bytes_out",
)  # fmt: skip
_SAME_IN_ATTEMPTS = (
    "number", "account", "model", "surface", "outcome", "status", "code", "was_sent", "total_ms", "first_content_ms",
    "vendor_request_id",
)  # fmt: skip
_LONGEST = {"model_asked": 200, "model_served": 200, "model": 200, "vendor_request_id": 200, "words": 400}


def request_row(request: RequestRecord, attempts: Sequence[AttemptRecord], charge: Charge) -> dict[str, Any]:
    """The row of one request."""
    last = attempts[-1] if attempts else None
    usage = request.usage or Usage()
    row = {name: getattr(request, name) for name in _SAME}
    row |= {
        "received_at": to_ms(request.received_at),
        "ended_at": to_ms(request.ended_at),
        "pass": request.stage,
        "slot": None if last is None or request.account is None else _slot(last),
        "surface_behind": None if last is None else last.surface,
        "input_tokens": usage.input_total,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "output_tokens": usage.output_total,
        "reasoning_tokens": usage.reasoning,
        "may_bill_more": request.outcome in _CUT and any(attempt.was_sent for attempt in attempts),
        "cost": amount_text(charge.amount),
        "currency": charge.currency,
        "unit_of_cost": charge.unit,
        "price": None if charge.price is None else charge.price.label(),
        "vendor_request_id": None if last is None else last.vendor_request_id,
        "adjusted": ",".join(request.adjusted) or None,
    }
    return _shortened(row)


def attempt_rows(
    request: RequestRecord, attempts: Sequence[AttemptRecord], charge: Charge, pricing: Pricing
) -> list[dict[str, Any]]:
    """The rows of its attempts. The last one on the account that served carries the request's cost."""
    served = next((one.number for one in reversed(attempts) if one.account == request.account and one.was_sent), None)
    rows = []
    for attempt in attempts:
        row = {name: getattr(attempt, name) for name in _SAME_IN_ATTEMPTS}
        spent = pricing.attempt_cost(attempt, attempt.number == served, charge)
        row |= {"request_id": request.id, "started_at": to_ms(attempt.started_at), "words": attempt.words}
        rows.append(_shortened({**row, "cost": amount_text(spent)}))
    return rows


def _slot(attempt: AttemptRecord) -> str:
    return f"{attempt.account}/{attempt.model}" if attempt.model else attempt.account


def _shortened(row: dict[str, Any]) -> dict[str, Any]:
    """What a client or a vendor wrote may be longer than a column: a ledger row is not lost for that."""
    for name, longest in _LONGEST.items():
        if isinstance(text := row.get(name), str):
            row[name] = text[:longest]
    return row
