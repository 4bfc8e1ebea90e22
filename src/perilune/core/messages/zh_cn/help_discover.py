"""Help pages of `perilune discover`."""

MESSAGES = {
    "help_discover.more": "查看：环境变量、官方 CLI 的目录、CodexBar 的文件；浏览器只计数。",
    "help_discover.examples": "perilune discover\nperilune discover --json",
    "help_discover.exits": "0 2",
    "help_discover.environment": "MOONSHOT_API_KEY MOONSHOT_KEY KIMI_CODE_API_KEY "
    "KIMI_AUTH_TOKEN KIMI_MANUAL_COOKIE KIMI_CODE_HOME CODEXBAR_CONFIG",
    "help_discover.schema": "perilune.discover.v1",
}
