"""The help page of `perilune` itself."""

MESSAGES = {
    "help_perilune.more": "不带命令：显示状态；还没有账号时，引导首次使用。",
    "help_perilune.examples": "perilune add\nperilune status --json\nperilune up --open",
    "help_perilune.exits": "0 1 2 4 5 69 130",
    "help_perilune.environment": "PERILUNE_HOME PERILUNE_LANG PERILUNE_SECTION_KEY PERILUNE_UPSTREAM NO_COLOR",
}
