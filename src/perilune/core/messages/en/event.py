"""Events as one line."""

MESSAGES = {
    "event.budget_soft": "Gateway key {key} has used its soft budget of {budget}.",
    "event.failover": "{route}: {main} → {account} ({code}).",
    "event.route_back": "{route}: back to {account}.",
    "event.drift": "{account} is answered in a new shape: {fields}.",
    "event.top_up": "{account} was topped up by {currency} {amount}.",
    "event.review_done": "Review of {title}: {findings} findings.",
    "event.notify_failed": "Channel {channel} does not take messages: {words}.",
}
