"""Budgets of gateway keys, owners, accounts and the whole gateway: what counts against them. Pure. Source: 7.3.

Money is counted in whole billionths of its currency: the prices of tokens are exact there.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING
from typing import Literal, NamedTuple

from msgspec import Struct

from perilune.core.amounts import NANO, Amount, Per, parse_amount, parse_limit
from perilune.core.money import Money

Kind = Literal["key", "owner", "account", "stop"]
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class Budget(Struct, frozen=True, kw_only=True):
    """One limit of what may be used in a period. `name` is the key's, owner's or account's; a stop's its currency."""

    kind: Kind
    name: str
    amount: Amount
    per: Per = "month"
    is_hard: bool = True
    key_id: str | None = None

    @property
    def id(self) -> str:
        """What its use is counted under; soft and hard limits of one key count together."""
        return f"{self.kind}:{self.key_id or self.name}"


class Cost(Struct, frozen=True, kw_only=True):
    """What a request takes, or may take. `money` None is unknown; plan quota costs no money."""

    is_quota: bool = False
    money: Money | None = None
    tokens: int = 0
    requests: int = 1


def period_of(per: Per, now: datetime) -> tuple[datetime, datetime | None]:
    """Begin and end of the period that `now` is in, on the clock of its own zone; weeks begin on Monday."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match per:
        case "day":
            return day, day + timedelta(days=1)
        case "week":
            start = day - timedelta(days=now.weekday())
            return start, start + timedelta(days=7)
        case "month":
            start = day.replace(day=1)
            return start, (start + timedelta(days=32)).replace(day=1)
        case "total":
            return _BEGIN, None


def counted(budget: Budget, cost: Cost) -> int | None:
    """What of a cost counts against a budget; None where it cannot be told (no price, another currency)."""
    unit = budget.amount.unit
    if unit == "requests":
        return cost.requests
    if unit == "tokens":
        return cost.tokens
    if cost.is_quota:
        return 0
    if cost.money is None or cost.money.currency != unit:
        return None
    return int((cost.money.amount * NANO).to_integral_value(ROUND_CEILING))


def key_budgets(key_id: str, name: str, soft: str | None, hard: str | None, per: Per) -> tuple[Budget, ...]:
    """The budgets of a key, as its settings write them. One that cannot be read allows nothing."""
    found = []
    for text, is_hard in ((soft, False), (hard, True)):
        if text is None:
            continue
        amount = parse_amount(text) or Amount("requests", 0)
        found.append(Budget(kind="key", name=name, key_id=key_id, amount=amount, per=per, is_hard=is_hard))
    return tuple(found)


def stops_of(written: Mapping[str, str]) -> dict[str, Budget]:
    """The spend stops, by currency."""
    found = {}
    for currency, text in written.items():
        limit = parse_limit(text, currency)
        if limit is not None:
            found[currency] = Budget(kind="stop", name=currency, amount=limit[0], per=limit[1])
    return found


def named_budget(kind: Kind, name: str, text: str) -> Budget | None:
    """The budget of an owner or an account, as the configuration writes it."""
    limit = parse_limit(text)
    return None if limit is None else Budget(kind=kind, name=name, amount=limit[0], per=limit[1])


class Count(NamedTuple):
    """One budget that a request counts against. Units: `period` milliseconds at which it began, `held` as `amount`."""

    budget: Budget
    period: int
    held: int


class KeyLimits(Struct, frozen=True, kw_only=True):
    """What a gateway key may do at once and in all."""

    rpm: int | None = None
    max_concurrent: int | None = None
    budgets: tuple[Budget, ...] = ()
