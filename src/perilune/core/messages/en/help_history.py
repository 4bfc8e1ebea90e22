"""The help page of `perilune history`."""

MESSAGES = {
    "help_history.more": (
        "Sums of requests, tokens and cost, and how full the 5-hour window was. Currencies are never added together; "
        "a day without data shows a dash, a day without use 0. With -v also each run of a window and what was topped "
        "up. Other programs' logs are read only with the setting history.local_logs, and marked est."
    ),
    "help_history.option.since": "30d, 12h, 4w, or a day like 2026-11-01",
    "help_history.option.by": "what the rows are",
    "help_history.option.is_csv": "CSV with UTC times",
    "help_history.examples": (
        "perilune history --since 3d\n"
        "perilune history --since 30d --by model\n"
        "perilune history --since 2026-11-01 --by account --csv"
    ),
    "help_history.exits": "0 1 2 130",
    "help_history.environment": "PERILUNE_HOME",
    "help_history.schema": "perilune.history.v1",
}
