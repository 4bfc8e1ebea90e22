"""The count of one request: its attempts, its times, and the rows it leaves in the ledger, written once."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from perilune.dialects.usage import Usage
from perilune.gateway.budgets import Count
from perilune.gateway.call import Attempt, Call
from perilune.gateway.failures import plain_outcome
from perilune.gateway.ports import Ledger
from perilune.gateway.record import AttemptRecord, RequestRecord
from perilune.gateway.setup import Counters
from perilune.gateway.slots import Slot
from perilune.gateway.spread import Spread
from perilune.providers.contract.outcome import OutcomeClass as Is

_BY_PROMPT = (Is.CONTEXT_OVERFLOW, Is.BODY_TOO_LARGE)


class Counted(NamedTuple):
    """A request that is counted as begun already. Units: `began` on the loop's clock."""

    id: str
    began: float


class Tally:
    """Kept by one request from its first byte to its last."""

    def __init__(
        self, call: Call, ledger: Ledger, counters: Counters, received_at: datetime, counted: "Counted | None" = None
    ) -> None:
        self._call = call
        self._ledger = ledger
        self._counters = counters
        self.received_at = received_at
        self.id = request_id(received_at) if counted is None else counted.id
        self.began = asyncio.get_running_loop().time() if counted is None else counted.began
        self._upstream_s = 0.0
        self.opened_at = 0.0
        self._first_content_at: float | None = None
        self._is_finished = False
        self.attempts: list[Attempt] = []
        self.adjusted: tuple[str, ...] = ()
        self.sent = 0
        self.session: str | None = None
        self.route: str | None = None
        self.slot: Slot | None = None
        self.model_asked: str | None = None
        self.is_stream = False
        self.waited_s = 0.0
        self._overhead_ms: float | None = None
        self.counts: tuple[Count, ...] = ()
        self.skips: Mapping[str, Attempt] = {}
        if counted is None:
            counters.requests += 1
            counters.in_flight += 1

    @property
    def chunk_gaps(self) -> Spread:
        """Where the time between two pieces of a stream is counted."""
        return self._counters.chunk_gaps

    def take_over(self, attempt: Attempt, adjusted: Sequence[str], opened_at: float) -> None:
        """The first attempt began elsewhere, and was counted there."""
        self.attempts.append(attempt)
        self.adjusted = tuple(adjusted)
        self.sent = 1
        self.opened_at = opened_at

    def open(self, attempt: Attempt, adjusted: Sequence[str]) -> None:
        """An attempt begins."""
        self.attempts.append(attempt)
        self.adjusted = tuple(adjusted)
        self.sent += 1
        self._counters.attempts += 1
        self._counters.failovers += self.sent > 1
        self.opened_at = asyncio.get_running_loop().time()

    def close(self, attempt: Attempt, now: float, first_content_at: float | None) -> None:
        """An attempt has an outcome, or its first content."""
        attempt.total_ms = round((now - self.opened_at) * 1000)
        self._upstream_s += now - self.opened_at
        if first_content_at is not None:
            attempt.first_content_ms = round((first_content_at - self.opened_at) * 1000)
            self._first_content_at = first_content_at

    def total(self, attempt: Attempt) -> None:
        """A streamed attempt has come to its end."""
        attempt.total_ms = round((asyncio.get_running_loop().time() - self.opened_at) * 1000)

    def has_tried(self, slot: str) -> bool:
        """True when this slot was really asked."""
        return any(attempt.slot == slot for attempt in self.attempts)

    def note_deadline(self, route: str) -> None:
        """The time for the whole request is over before another attempt."""
        last = self.attempts[-1] if self.attempts else None
        self.attempts.append(
            Attempt(
                slot=route if last is None else last.slot,
                account="" if last is None else last.account,
                model=None,
                surface=None,
                outcome=plain_outcome(Is.TIMEOUT_TOTAL),
                started_at=datetime.now(UTC),
                is_skipped=True,
            )
        )

    def all_with(self, skips: Mapping[str, Attempt]) -> list[Attempt]:
        """Everything that was tried, then what was passed over."""
        skipped = [skip for name, skip in skips.items() if not self.has_tried(name)]
        return [*self.attempts, *skipped]

    def overhead_ms(self, now: float, waited_s: float) -> float:
        """Our own part: everything but waiting for the upstream and in the queue."""
        self.waited_s = waited_s
        self._overhead_ms = max((now - self.began - self._upstream_s - waited_s) * 1000, 0.0)
        return self._overhead_ms

    def finish(
        self,
        status: int | None,
        outcome: Is,
        code: str | None,
        *,
        usage: Usage | None = None,
        served: str | None = None,
        bytes_out: int = 0,
        is_estimated: bool = False,
    ) -> None:
        """Hand the rows over; a second call does nothing."""
        if self._is_finished:
            return
        self._is_finished = True
        counters = self._counters
        counters.in_flight -= 1
        counters.outcomes[outcome.value] = counters.outcomes.get(outcome.value, 0) + 1
        for name in self.adjusted:
            counters.adjusted[name] = counters.adjusted.get(name, 0) + 1
        now = asyncio.get_running_loop().time()
        total_s = now - self.began
        slot, call = self.slot, self._call
        first = self._first_content_at
        record = RequestRecord(
            id=self.id,
            received_at=self.received_at,
            ended_at=self.received_at + timedelta(seconds=total_s),
            owner=call.owner,
            key_id=call.key_id,
            purpose=call.purpose,
            run=call.run,
            unit=call.unit,
            stage=call.stage,
            session=self.session,
            route=self.route,
            surface=call.front.value,
            model_asked=self.model_asked,
            is_stream=self.is_stream,
            account=None if slot is None else slot.account,
            plan=None if slot is None else slot.plan.id,
            region=None if slot is None or slot.region is None else slot.region.id,
            model_served=served or (self.attempts[-1].model if slot is not None and self.attempts else None),
            outcome=outcome.value,
            status=status,
            code=code,
            attempts=self.sent,
            queued_ms=round(self.waited_s * 1000),
            first_content_ms=None if first is None else round((first - self.began) * 1000),
            total_ms=round(total_s * 1000),
            usage=usage,
            is_estimated=is_estimated,
            adjusted=self.adjusted,
            bytes_in=len(call.body),
            bytes_out=bytes_out,
            counts=self.counts,
            priority=call.priority.name.lower(),
            overhead_s=None if self._overhead_ms is None else self._overhead_ms / 1000,
        )
        tried = [*self.attempts, *self._passed_over()] if self.skips else self.attempts
        self._ledger.record(record, [_row(number, a) for number, a in enumerate(tried, 1)])

    def _passed_over(self) -> list[Attempt]:
        """The slots that were not asked because of their account, not because of the prompt."""
        return [
            skip
            for name, skip in self.skips.items()
            if skip.outcome.kind not in _BY_PROMPT and not self.has_tried(name)
        ]


def request_id(at: datetime) -> str:
    """A version 7 UUID as text, made without the object: this is on the path of every request."""
    bits = _random.take()
    head = f"{int(at.timestamp() * 1000):012x}"
    return f"{head[:8]}-{head[8:]}-7{bits[:3]}-{_VARIANTS[bits[3]]}{bits[4:7]}-{bits[7:]}"


class _Random:
    """Random hexadecimal digits, asked of the system for many ids at once."""

    def __init__(self) -> None:
        self._digits = ""
        self._at = 0

    def take(self) -> str:
        """Nineteen digits that were never given out."""
        start = self._at
        if start + _DIGITS > len(self._digits):
            self._digits, start = secrets.token_hex(_DIGITS * 128 // 2), 0
        self._at = start + _DIGITS
        return self._digits[start : self._at]


_DIGITS = 19
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_random = _Random()


def _row(number: int, attempt: Attempt) -> AttemptRecord:
    outcome = attempt.outcome
    return AttemptRecord(
        number=number,
        started_at=attempt.started_at,
        account=attempt.account,
        model=attempt.model,
        surface=attempt.surface,
        outcome=outcome.kind.value,
        status=outcome.status,
        code=outcome.code,
        was_sent=attempt.was_sent,
        total_ms=attempt.total_ms,
        first_content_ms=attempt.first_content_ms,
        vendor_request_id=outcome.request_id,
        words=outcome.words,
    )
