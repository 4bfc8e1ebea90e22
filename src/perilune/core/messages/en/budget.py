"""Budgets of gateway keys, owners and accounts."""

MESSAGES = {
    "budget.period.day": "today",
    "budget.period.week": "this week",
    "budget.period.month": "this month",
    "budget.period.total": "all time",
    "budget.owner": "owner {name}",
    "budget.account": "account {name}",
}
