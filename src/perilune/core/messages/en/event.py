"""Events as one line."""

MESSAGES = {
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
    "event.notify_failed": "Channel {channel} does not take messages: {words}.",
    "event.budget_soft": "Gateway key {name}: {percent}% of {limit} is used.",
    "event.budget_hard": "Gateway key {name}: {limit} is used up.",
}
