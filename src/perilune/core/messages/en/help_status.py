"""The help page of `perilune status`."""

MESSAGES = {
    "help_status.more": (
        "Shows every account, or those named: windows, balance, when they reset, whether they last. What was read "
        "less than a minute ago is shown as it is; the rest is read first, within 8 seconds. A failed read leaves "
        "the last reading in place, with its age."
    ),
    "help_status.examples": (
        "perilune status\nperilune status work --json\nperilune status --brief --left\nperilune status --watch 30"
    ),
    "help_status.exits": "0 1 2 4 5 69 130",
    "help_status.environment": "KIMI_CODE_API_KEY MOONSHOT_API_KEY MOONSHOT_REGION PERILUNE_HOME PERILUNE_UPSTREAM NO_COLOR",
    "help_status.schema": "perilune.status.v1",
    "help_status.option.brief": "a table, one row a window or balance",
    "help_status.option.left": "percentages and bars mean what is left",
    "help_status.option.names": "accounts to show; all when none is named",
    "help_status.option.refresh": "read now, unless read in the last 10 seconds",
    "help_status.option.used": "percentages and bars mean what is used",
    "help_status.option.watch": "after the full text print what changes, looking every so many seconds",
}
