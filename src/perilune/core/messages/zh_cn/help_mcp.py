"""The help page of `perilune mcp`."""

MESSAGES = {
    "help_mcp.more": "六个只读工具：perilune_status、_can_i、_forecast、_wait_until_reset、_route、_explain。先用已存的读数，超过一分钟则重新读取。",
    "help_mcp.examples": "perilune mcp\nperilune mcp --lang zh-CN",
    "help_mcp.exits": "0 130",
    "help_mcp.environment": "PERILUNE_HOME PERILUNE_LANG",
}
