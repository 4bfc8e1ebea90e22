"""The help page of `perilune forecast`."""

MESSAGES = {
    "help_forecast.more": (
        "Reads what is older than a minute, then tells how fast each window and balance goes and when it runs "
        "out. With fewer than 3 readings over 3 % of a window nothing is forecast."
    ),
    "help_forecast.option.names": "accounts to look at; all when none is named",
    "help_forecast.examples": ("perilune forecast\nperilune forecast work -v\nperilune forecast --json"),
    "help_forecast.exits": "0 1 2 4 5 69 130",
    "help_forecast.environment": "PERILUNE_HOME PERILUNE_UPSTREAM",
    "help_forecast.schema": "perilune.forecast.v1",
}
