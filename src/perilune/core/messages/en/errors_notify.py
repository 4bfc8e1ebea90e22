"""Errors of notifications."""

MESSAGES = {
    "PL-NOTIFY.what": "{channel} ({kind}) does not take messages: {reason}.",
    "PL-NOTIFY.fix.1": "perilune notify test {channel}",
    "PL-NOTIFY.fix.2": "perilune notify remove {channel}",
    "PL-NOTIFY.note": "What was not taken goes once more when the channel works again.",
    "PL-USAGE.what.notify_name": "'{name}' cannot be a channel's name: 1 to 64 letters, digits, '.', '-' and '_'.",
    "PL-USAGE.what.notify_taken": "There is a channel '{name}'.",
    "PL-USAGE.what.notify_unknown": "There is no channel '{name}'. Nearest: {nearest}.",
    "PL-USAGE.what.notify_unknown_far": "There is no channel '{name}'.",
    "PL-USAGE.what.notify_span": "'{value}' is not a span of time: 30m, 2h, 1d, or 0 to end it.",
    "PL-USAGE.fix.1.notify_name": "perilune notify add --help",
    "PL-USAGE.fix.1.notify_taken": "perilune notify list",
    "PL-USAGE.fix.1.notify_unknown": "perilune notify list",
    "PL-USAGE.fix.1.notify_unknown_far": "perilune notify list",
    "PL-USAGE.fix.1.notify_span": "perilune notify mute 2h",
}
