"""Events as one line."""

MESSAGES = {
    "event.budget_soft": "Gateway key {key} has used its soft budget of {budget}.",
    "event.spent": "{account} {window} is spent until {until}.",
    "event.spent_unknown": "{account} is spent.",
    "event.back": "{account} is back.",
    "event.high": "{account} {window}: {percent}% used.",
    "event.balance_low": "{account}: {amount} available.",
    "event.balance_empty": "{account} has no money left.",
    "event.refused": "{account} is refused ({code}).",
    "event.failover": "{route}: {main} → {account} ({code}).",
    "event.route_back": "{route}: back to {account}.",
    "event.top_up": "{account} was topped up by {currency} {amount}.",
    "event.review_done": "Review of {title}: {findings} findings.",
}
