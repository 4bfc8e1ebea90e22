"""`perilune gateway keys`: budgets."""

MESSAGES = {
    "keys.changed": "{name}：已更改",
    "keys.used": "{used} / {limit}",
}
