"""Help pages of `perilune discover`."""

MESSAGES = {
    "help_discover.more": "Looked at: environment, vendor CLI's homes, CodexBar's file; browsers are only counted.",
    "help_discover.examples": "perilune discover\nperilune discover --json",
    "help_discover.exits": "0 2",
    "help_discover.environment": "MOONSHOT_API_KEY MOONSHOT_KEY KIMI_CODE_API_KEY "
    "KIMI_AUTH_TOKEN KIMI_MANUAL_COOKIE KIMI_CODE_HOME CODEXBAR_CONFIG",
    "help_discover.schema": "perilune.discover.v1",
}
