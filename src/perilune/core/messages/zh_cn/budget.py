"""Budgets of gateway keys, owners and accounts."""

MESSAGES = {
    "budget.period.day": "今日",
    "budget.period.week": "本周",
    "budget.period.month": "本月",
    "budget.period.total": "累计",
    "budget.owner": "所有者 {name}",
    "budget.account": "账号 {name}",
}
