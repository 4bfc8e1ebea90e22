"""Prices and what a request costs: dated rows, exact decimals, one currency at a time, unknown as None."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct, field

from perilune.catalog.models import Mark
from perilune.core.money import Money

_PER = Decimal(1_000_000)

Kind = Literal["standard", "batch"]


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one model costs in one currency for a span of days.

    Shape: valid from `starts` (always, when None) until the day before `ends`, days in UTC. `model` may be a glob.
    Units: `currency` per 1M tokens. `input_miss` is uncached input; a kind of token without a price of its own
    (`input_hit`, cache writes) costs as much as uncached input.
    """

    model: str
    currency: str
    input_miss: Decimal
    output: Decimal
    input_hit: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    plan: str = "*"
    kind: Kind = "standard"
    starts: date | None = field(name="from", default=None)
    ends: date | None = field(name="to", default=None)
    source: str = ""
    mark: Mark = "U"
    is_override: bool = False

    def is_valid_on(self, day: date) -> bool:
        return (self.starts is None or self.starts <= day) and (self.ends is None or day < self.ends)

    def label(self) -> str:
        """How the ledger names the row that a cost was counted with."""
        since = "" if self.starts is None else f" from {self.starts.isoformat()}"
        batch = "" if self.kind == "standard" else f" {self.kind}"
        own = " (own)" if self.is_override else ""
        return f"{self.model} {self.currency}{batch}{since}{own}"


class CallPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one call of a hosted tool costs, apart from its tokens."""

    plan: str
    name: str
    currency: str
    each: Decimal
    source: str = ""
    mark: Mark = "U"


class Tokens(Struct, frozen=True, kw_only=True):
    """Counted tokens of one answer. `cache_write_1h` is the part of `cache_write` kept for an hour."""

    input_total: int
    output_total: int
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0


def find_price(
    prices: Iterable[Price], plan: str, model: str, currency: str, at: datetime, kind: Kind = "standard"
) -> Price | None:
    """The row valid at a moment: the user's own before a shipped one, then the latest to start. None is no price."""
    day = at.astimezone(UTC).date()
    fitting = [price for price in prices if _fits(price, plan, model, currency, kind) and price.is_valid_on(day)]
    return max(fitting, key=lambda price: (price.is_override, price.starts or date.min), default=None)


def cost(tokens: Tokens, price: Price) -> Money:
    """What the tokens cost, exactly."""
    hit = price.input_miss if price.input_hit is None else price.input_hit
    for_5m = price.input_miss if price.cache_write_5m is None else price.cache_write_5m
    for_1h = for_5m if price.cache_write_1h is None else price.cache_write_1h
    miss_tokens = max(tokens.input_total - tokens.cache_read - tokens.cache_write, 0)
    amount = (
        miss_tokens * price.input_miss
        + tokens.cache_read * hit
        + (tokens.cache_write - tokens.cache_write_1h) * for_5m
        + tokens.cache_write_1h * for_1h
        + tokens.output_total * price.output
    )
    return Money(amount / _PER, price.currency)


def overlapping(prices: Sequence[Price]) -> list[tuple[Price, Price]]:
    """Pairs of rows of one layer that price the same tokens on the same day."""
    return [
        (first, second)
        for number, first in enumerate(prices)
        for second in prices[number + 1 :]
        if _scope(first) == _scope(second) and _spans_meet(first, second)
    ]


def _fits(price: Price, plan: str, model: str, currency: str, kind: Kind) -> bool:
    return (
        price.currency == currency
        and price.kind == kind
        and price.plan in ("*", plan)
        and fnmatchcase(model, price.model)
    )


def _scope(price: Price) -> tuple[str, str, str, str, bool]:
    return price.plan, price.model, price.currency, price.kind, price.is_override


def _spans_meet(first: Price, second: Price) -> bool:
    return (first.starts or date.min) < (second.ends or date.max) and (second.starts or date.min) < (
        first.ends or date.max
    )
