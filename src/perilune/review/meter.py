"""The hard budget of one run: a call that could exceed it is not made."""

from decimal import Decimal

from msgspec import Struct

from perilune.core.money import Money
from perilune.review.plan.tokens import PRIOR_BYTES_PER_TOKEN, tokens_of
from perilune.review.ports import Attempt, ModelAnswer, ModelRequest, Pass, Prices
from perilune.review.result import PassUsage, UsageFacts

_MARGIN = Decimal("1.15")


class Bound(Struct, frozen=True):
    """The most that one call can take."""

    tokens: int
    cost: Decimal


class Meter:
    """Counts what was spent and what is held for calls under way. Held amounts are upper bounds."""

    def __init__(
        self,
        max_requests: int,
        max_tokens: int,
        max_cost: Money | None = None,
        prices: Prices | None = None,
        bytes_per_token: Decimal | None = None,
    ) -> None:
        self._max_requests = max_requests
        self._max_tokens = max_tokens
        self._max_cost = max_cost
        self._prices = prices
        self._ratio = bytes_per_token or PRIOR_BYTES_PER_TOKEN
        self._kept = 0
        self._held_requests = 0
        self._held_tokens = 0
        self._held_cost = Decimal(0)
        self._requests = self._reused = self._in = self._cached = self._out = 0
        self._cost: dict[str, Decimal] = {}
        self._by_pass: dict[Pass, list[int]] = {}
        self._attempts: list[Attempt] = []
        self._unknown = False

    def keep(self, requests: int) -> None:
        """Hold back requests for a later stage, where there is more than that at all."""
        self._kept = requests if self._max_requests > requests else 0

    def bound(self, request: ModelRequest) -> Bound:
        """The upper bound of a call: its prompt with a margin, and all the output it may give."""
        prompt = int(tokens_of(request.size, self._ratio) * _MARGIN)
        cost = Decimal(0)
        if self._prices is not None:
            cost = (prompt * self._prices.miss + request.max_output_tokens * self._prices.output) / 1_000_000
        return Bound(prompt + request.max_output_tokens, cost)

    def admit(self, bound: Bound) -> bool:
        """Hold the bound of a call if the budget has room for it."""
        if self._requests + self._held_requests >= self._max_requests - self._kept:
            return False
        if self._in + self._out + self._held_tokens + bound.tokens > self._max_tokens:
            return False
        if self._max_cost is not None and self._prices is not None and self._max_cost.currency == self._prices.currency:
            spent = self._cost.get(self._max_cost.currency, Decimal(0))
            if spent + self._held_cost + bound.cost > self._max_cost.amount:
                return False
        self._held_requests += 1
        self._held_tokens += bound.tokens
        self._held_cost += bound.cost
        return True

    def release(self, bound: Bound) -> None:
        """Give back what was held for a call that was not made."""
        self._held_requests -= 1
        self._held_tokens -= bound.tokens
        self._held_cost -= bound.cost

    def settle(self, bound: Bound, answer: ModelAnswer | None, attempts: tuple[Attempt, ...], name: Pass) -> None:
        """Count a call that was made, whether it gave an answer or not."""
        self.release(bound)
        self._requests += 1
        self._attempts += attempts
        row = self._by_pass.setdefault(name, [0, 0, 0, 0])
        row[0] += 1
        if answer is None:
            return
        usage = answer.usage
        self._unknown |= usage.input_tokens is None or usage.output_tokens is None
        counts = (usage.input_tokens or 0, usage.cached_tokens or 0, usage.output_tokens or 0)
        for index, count in enumerate(counts, 1):
            row[index] += count
        self._in, self._cached, self._out = self._in + counts[0], self._cached + counts[1], self._out + counts[2]
        cost = answer.cost or self._priced(counts)
        if cost is not None:
            self._cost[cost.currency] = self._cost.get(cost.currency, Decimal(0)) + cost.amount

    def _priced(self, counts: tuple[int, int, int]) -> Money | None:
        """What an answer costs by the prices in force, where nobody said what it did cost."""
        if self._prices is None:
            return None
        prompt, cached, output = counts
        amount = (prompt - cached) * self._prices.miss + cached * self._prices.hit + output * self._prices.output
        return Money(amount / 1_000_000, self._prices.currency)

    def reuse(self) -> None:
        """Count an answer that was already bought."""
        self._reused += 1

    @property
    def requests(self) -> int:
        return self._requests

    def facts(self) -> UsageFacts:
        """What was spent so far. Money of several currencies is not added; then no cost is told."""
        costs = [Money(amount, currency) for currency, amount in sorted(self._cost.items())]
        return UsageFacts(
            requests=self._requests,
            reused_requests=self._reused,
            tokens_in=self._in,
            tokens_cached=self._cached,
            tokens_out=self._out,
            cost=costs[0] if len(costs) == 1 else None,
            is_known=not self._unknown,
            by_pass=tuple(
                PassUsage(name=name, requests=row[0], tokens_in=row[1], tokens_cached=row[2], tokens_out=row[3])
                for name, row in sorted(self._by_pass.items())
            ),
            attempts=tuple(
                sorted(self._attempts, key=lambda attempt: (attempt.account, attempt.model, attempt.outcome))
            ),
        )
