"""Ledger rows from what the gateway hands over: tuples in the order of the tables' columns."""

from collections.abc import Sequence
from typing import Any

from perilune.dialects.usage import Usage
from perilune.gateway.pricing import Charge, Pricing, Rate, amount_text
from perilune.gateway.record import AttemptRecord, Constant, PlainRecord, RequestRecord
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


def plain_rows(plain: PlainRecord, pricing: Pricing) -> tuple[Row, list[Row]]:
    """The rows of a request that was answered at its first attempt: those of its records, made with less ado."""
    fixed = plain.constant
    if not isinstance(fixed.memo, _Ends):
        fixed.memo = _Ends(fixed)
    ends, usage, served = fixed.memo, plain.usage or _NO_USAGE, _cut(plain.served or fixed.model)
    rate = plain.rate = ends.rate_of(plain, pricing)
    priced: tuple[str | None, str | None, str | None, str | None]
    if isinstance(rate, Rate):
        cost = rate.amount_text(plain.usage)
        priced = (cost, rate.currency, "money", None if cost is None or cost == "0" else rate.label)
    else:
        cost, priced = None, (None, None, rate.unit, None)
    received = to_ms(plain.received_at)
    total_ms = round(plain.total_s * 1000)
    request = (
        plain.id,
        received,
        received + total_ms,
        *ends.asked,
        served,
        *_ANSWERED,
        total_ms,
        usage.input_total,
        usage.cache_read,
        usage.cache_write,
        usage.output_total,
        usage.reasoning,
        False,
        False,
        *priced,
        None,
        ends.adjusted,
        plain.bytes_in,
        plain.bytes_out,
    )
    attempt = (plain.id, 1, received, *ends.tried, round(plain.attempt_s * 1000), None, None, cost, None)
    return request, [attempt]


_ANSWERED = ("ok", 200, None, 1, 0, None)


class _Ends:
    """The columns that are the same in all rows of plain requests of one form."""

    __slots__ = ("_rate", "_rated", "adjusted", "asked", "tried")

    def __init__(self, fixed: Constant) -> None:
        slot = f"{fixed.account}/{fixed.model}" if fixed.model else fixed.account
        self.asked = (
            fixed.owner,
            fixed.key_id,
            "client",
            None,
            None,
            None,
            fixed.session,
            fixed.route,
            slot,
            fixed.surface,
            fixed.surface,
            _cut(fixed.model_asked),
            False,
            fixed.account,
        )
        self.tried = (fixed.account, _cut(fixed.model), fixed.surface, "ok", 200, None, True)
        self.adjusted = ",".join(fixed.adjusted) or None
        self._rate: Rate | Charge = Charge()
        self._rated: tuple[object, str | None, int] | None = None

    def rate_of(self, plain: PlainRecord, pricing: Pricing) -> Rate | Charge:
        """What the tokens cost: looked up again for another day, model or catalogue."""
        key = (pricing.version, plain.served, plain.received_at.toordinal())
        if key != self._rated:
            fixed = plain.constant
            model = plain.served or fixed.model
            self._rate = pricing.rate(fixed.plan, fixed.region, model, plain.received_at)
            self._rated = key
        return self._rate


def _slot(attempt: AttemptRecord) -> str:
    return f"{attempt.account}/{attempt.model}" if attempt.model else attempt.account


def _cut(text: str | None, longest: int = _LONGEST_NAME) -> str | None:
    return text if text is None or len(text) <= longest else text[:longest]
