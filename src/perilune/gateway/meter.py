"""What metrics count of the gateway: sums over what went to the ledger, made when somebody looks, never on the way.

A request is only put aside here; it is counted in the ledger writer's thread, or by whoever asks for the sums.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct, field

from perilune.dialects.usage import Usage
from perilune.gateway.ports import Ledger
from perilune.gateway.pricing import Charge, Rate
from perilune.gateway.record import AttemptRecord, PlainRecord, RequestRecord, records_of
from perilune.gateway.spread import Spread

FIRST_TOKEN_S = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
REQUEST_S = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
OVERHEAD_S = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0)
QUEUE_S = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 300.0)
RateOf = Callable[[str | None, str | None, str, datetime], Rate | Charge]
_BROKEN = {"stream_cut": "cut", "timeout_idle": "idle", "garbled": "garbled"}


class Sums(Struct):
    """The sums since this process began. Keys are label values in the order of the names."""

    requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # route, surface, outcome
    attempts: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # account, outcome, code
    failovers: Counter[tuple[str, str]] = field(default_factory=Counter)  # route, code
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)  # account, kind
    cost: dict[tuple[str, str], Decimal] = field(default_factory=dict)  # account, currency
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)  # account, where
    rejected: Counter[str] = field(default_factory=Counter)  # our code
    first_token: dict[tuple[str, str], Spread] = field(default_factory=dict)  # account, surface
    request: dict[tuple[str, str], Spread] = field(default_factory=dict)  # account, surface
    overhead: Spread = field(default_factory=lambda: Spread.over(OVERHEAD_S))
    queue_wait: dict[str, Spread] = field(default_factory=dict)  # priority


class Meter:
    """Counts requests that have ended. `note` is on their way and only puts aside; `sums` is for whoever reads."""

    def __init__(self, charge: Callable[[RequestRecord], Charge], rate: RateOf | None = None) -> None:
        self._charge = charge
        self._rate = rate
        self._new: deque[tuple[RequestRecord, Sequence[AttemptRecord]] | PlainRecord] = deque()
        self._sums = Sums()
        self._counting = threading.Lock()

    def note(self, request: RequestRecord, attempts: Sequence[AttemptRecord]) -> None:
        """Put a request aside."""
        self._new.append((request, attempts))

    def note_plain(self, plain: PlainRecord) -> None:
        """Put a request aside that was answered at its first attempt."""
        self._new.append(plain)

    def count(self) -> None:
        """Count what was put aside. May run in any thread."""
        with self._counting:
            while self._new:
                ended = self._new.popleft()
                if isinstance(ended, PlainRecord):
                    self._add_plain(ended)
                else:
                    self._add(*ended)

    def sums(self) -> Sums:
        """The sums of everything that has ended."""
        self.count()
        return self._sums

    def _add(self, request: RequestRecord, attempts: Sequence[AttemptRecord]) -> None:
        sums, route = self._sums, request.route or ""
        sums.requests[route, request.surface, request.outcome] += 1
        sent = [attempt for attempt in attempts if attempt.was_sent]
        for attempt in sent:
            sums.attempts[attempt.account, attempt.outcome, attempt.code or ""] += 1
        moved = next((one for one in sent if (one.account, one.model) != (sent[-1].account, sent[-1].model)), None)
        if moved is not None:
            sums.failovers[route, moved.code or ""] += 1
        if request.overhead_s is not None:
            sums.overhead.add(request.overhead_s)
        if request.route is not None and request.queued_ms is not None:
            sums.queue_wait.setdefault(request.priority, Spread.over(QUEUE_S)).add(request.queued_ms / 1000)
        if not sent and request.code is not None:
            sums.rejected[request.code] += 1
        if request.account is not None:
            self._add_answer(request, request.account)

    def _add_plain(self, plain: PlainRecord) -> None:
        """As `_add` of its records, with less ado."""
        fixed, sums = plain.constant, self._sums
        if self._rate is None:
            self._add(*records_of(plain))
            return
        place = (fixed.account, fixed.surface)
        sums.requests[fixed.route, fixed.surface, "ok"] += 1
        sums.attempts[fixed.account, "ok", ""] += 1
        if place not in sums.request:
            sums.request[place] = Spread.over(REQUEST_S)
        sums.request[place].add(round(plain.total_s * 1000) / 1000)
        sums.overhead.add(max(plain.total_s - plain.attempt_s, 0.0))
        if fixed.priority not in sums.queue_wait:
            sums.queue_wait[fixed.priority] = Spread.over(QUEUE_S)
        sums.queue_wait[fixed.priority].add(0.0)
        if plain.usage is None:
            return
        for kind, count in _tokens(plain.usage):
            sums.tokens[fixed.account, kind] += count
        rate = plain.rate or self._rate(fixed.plan, fixed.region, plain.served or fixed.model, plain.received_at)
        amount = rate.amount(plain.usage) if isinstance(rate, Rate) else None
        if isinstance(rate, Rate) and amount is not None and rate.currency is not None:
            key = (fixed.account, rate.currency)
            sums.cost[key] = sums.cost.get(key, Decimal(0)) + amount

    def _add_answer(self, request: RequestRecord, account: str) -> None:
        sums, place = self._sums, (account, request.surface)
        if request.first_content_ms is not None:
            spread = sums.first_token.setdefault(place, Spread.over(FIRST_TOKEN_S))
            spread.add(request.first_content_ms / 1000)
        sums.request.setdefault(place, Spread.over(REQUEST_S)).add(request.total_ms / 1000)
        if request.is_stream and request.outcome in _BROKEN:
            sums.broken[account, _BROKEN[request.outcome]] += 1
        for kind, count in _tokens(request.usage or Usage()):
            sums.tokens[account, kind] += count
        charge = self._charge(request)
        if charge.amount is not None and charge.currency is not None:
            key = (account, charge.currency)
            sums.cost[key] = sums.cost.get(key, Decimal(0)) + charge.amount


class MeteredLedger:
    """A ledger beside which its requests are counted."""

    def __init__(self, ledger: Ledger, meter: Meter) -> None:
        self._ledger = ledger
        self._meter = meter

    def record(self, request: RequestRecord, attempts: Sequence[AttemptRecord]) -> None:
        """Keep one request with its attempts."""
        self._meter.note(request, attempts)
        self._ledger.record(request, attempts)

    def record_plain(self, plain: PlainRecord) -> None:
        """Keep a request that was answered at its first attempt."""
        self._meter.note_plain(plain)
        self._ledger.record_plain(plain)


def _tokens(usage: Usage) -> list[tuple[str, int]]:
    """Tokens by kind, each as the ledger has it: cached ones are a part of the input, thinking one of the output."""
    kinds = {
        "input": usage.input_total,
        "cached": usage.cache_read,
        "output": usage.output_total,
        "thinking": usage.reasoning,
    }
    return [(kind, count) for kind, count in kinds.items() if count is not None]
