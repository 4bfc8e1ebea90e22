"""`perilune gateway keys`: budgets."""

MESSAGES = {
    "keys.changed": "{name}: changed",
    "keys.used": "{used} of {limit}",
    "keys.larger": " {models} is in this route.",
    "keys.not_for": "{state}, not for {classes}",
}
