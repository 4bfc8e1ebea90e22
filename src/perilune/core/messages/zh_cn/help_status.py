"""The help page of `perilune status`."""

MESSAGES = {
    "help_status.more": (
        "显示所有账号，或只显示指定的账号：窗口、余额、重置时间、能否撑到重置。一分钟内读过的直接显示；"
        "其余先读取，共限 8 秒。读取失败时保留上次读数及其时间。"
    ),
    "help_status.examples": (
        "perilune status\nperilune status work --json\nperilune status --brief --left\nperilune status --watch 30"
    ),
    "help_status.exits": "0 1 2 4 5 69 130",
    "help_status.environment": "KIMI_CODE_API_KEY MOONSHOT_API_KEY MOONSHOT_REGION PERILUNE_HOME PERILUNE_UPSTREAM NO_COLOR",
    "help_status.schema": "perilune.status.v1",
    "help_status.option.brief": "表格，每个窗口或余额一行",
    "help_status.option.left": "百分比和进度条表示剩余",
    "help_status.option.names": "要显示的账号；未指定则全部显示",
    "help_status.option.refresh": "立即读取，除非 10 秒内刚读过",
    "help_status.option.used": "百分比和进度条表示已用",
    "help_status.option.watch": "先显示全文，之后每隔若干秒只显示变化",
}
