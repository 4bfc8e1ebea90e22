"""The help page of `perilune mcp`."""

MESSAGES = {
    "help_mcp.more": "Six read-only tools: perilune_status, _can_i, _forecast, _wait_until_reset, _route, _explain. They answer from the store, and read accounts anew when that is older than a minute.",
    "help_mcp.examples": "perilune mcp\nperilune mcp --lang zh-CN",
    "help_mcp.exits": "0 130",
    "help_mcp.environment": "PERILUNE_HOME PERILUNE_LANG",
}
