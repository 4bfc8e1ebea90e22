"""The help page of `perilune metrics`."""

MESSAGES = {
    "help_metrics.more": "Of the running service where one answers, else of what the store holds; then without the "
    "gateway's counters. The service serves the same under /metrics.",
    "help_metrics.examples": "perilune metrics\nperilune metrics | grep window_used_ratio",
    "help_metrics.exits": "0 1 2",
    "help_metrics.environment": "PERILUNE_TOKEN PERILUNE_HOME",
}
