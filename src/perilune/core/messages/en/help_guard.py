"""The help page of `perilune guard`."""

MESSAGES = {
    "help_guard.more": (
        "Reads what is older than a minute, then decides. What cannot be checked is not taken for enough, unless"
        " --fail-open says so."
    ),
    "help_guard.option.names": "accounts to look at; without any, all that have what is asked for",
    "help_guard.option.least": "a share of a window (20%, the default), a count of requests (50), or money (CNY30)",
    "help_guard.option.window": "any (the tightest), 5h, 7d, month or balance",
    "help_guard.option.waits": "wait for the reset of what is low, then look again",
    "help_guard.option.max_wait": "how long at most (90s, 5m, 1h30m); a later reset is not waited for",
    "help_guard.option.is_open": "what cannot be checked passes",
    "help_guard.examples": (
        "perilune guard --min-left 20%\n"
        "perilune guard work --window 5h --min-left 50 --wait --max-wait 1h\n"
        "perilune guard lab --min-left CNY30 --json"
    ),
    "help_guard.exits": "0 1 2 4 5 69 130",
    "help_guard.exit.0": "enough is left",
    "help_guard.exit.1": "not enough is left",
    "help_guard.environment": "PERILUNE_HOME PERILUNE_UPSTREAM",
    "help_guard.schema": "perilune.guard.v1",
}
