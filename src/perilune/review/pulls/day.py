"""The budget of a repository's day: a review gets what is left of it, or waits for the next day."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from perilune.core.numbers import plain
from perilune.review.plan.allowance import parse_money
from perilune.review.settings import Budget
from perilune.store.day_spend import Spent


def day_begins(now: datetime) -> datetime:
    """Midnight before a moment. Units: days are those of UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def next_day(now: datetime) -> datetime:
    """When what was spent is forgotten."""
    return day_begins(now) + timedelta(days=1)


def is_spent(budget: Budget, spent: Spent) -> bool:
    """Whether nothing is left of the day."""
    left = _requests_left(budget, spent)
    money = _cost_left(budget, spent)
    return (left is not None and left <= 0) or (money is not None and money[1] <= 0)


def within_day(budget: Budget, spent: Spent, user: Mapping[str, Any]) -> Mapping[str, Any]:
    """The user's settings with the budget of one review cut to what is left of the day."""
    cut: dict[str, Any] = {}
    left = _requests_left(budget, spent)
    if left is not None:
        cut["max_requests"] = min(budget.max_requests, left)
    money = _cost_left(budget, spent)
    most = parse_money(budget.max_cost)
    if money is not None and (most is None or most.currency != money[0] or most.amount > money[1]):
        cut["max_cost"] = f"{money[0]} {plain(money[1])}"
    return {**user, "budget": {**user.get("budget", {}), **cut}} if cut else user


def _requests_left(budget: Budget, spent: Spent) -> int | None:
    most = budget.per_day.requests
    return None if most is None else most - spent.requests


def _cost_left(budget: Budget, spent: Spent) -> tuple[str, Decimal] | None:
    most = parse_money(budget.per_day.cost)
    return None if most is None else (most.currency, most.amount - spent.cost.get(most.currency, Decimal(0)))
