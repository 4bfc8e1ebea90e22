"""The help page of `perilune metrics`."""

MESSAGES = {
    "help_metrics.more": "服务运行时取自服务，否则取自数据库，此时没有网关计数。服务在 /metrics 提供同样内容。",
    "help_metrics.examples": "perilune metrics\nperilune metrics | grep window_used_ratio",
    "help_metrics.exits": "0 1 2",
    "help_metrics.environment": "PERILUNE_TOKEN PERILUNE_HOME",
}
