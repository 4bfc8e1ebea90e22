"""The help page of `perilune guard`."""

MESSAGES = {
    "help_guard.more": "先读取超过一分钟的数据，再作判断。无法确认时不当作充足，除非指定 --fail-open。",
    "help_guard.option.names": "要检查的账号；未指定则为所有适用的账号",
    "help_guard.option.least": "窗口百分比（默认 20%）、请求次数（50）或金额（CNY30）",
    "help_guard.option.window": "any（最紧的）、5h、7d、month 或 balance",
    "help_guard.option.waits": "等待不足的窗口重置后再检查",
    "help_guard.option.max_wait": "最多等多久（90s、5m、1h30m）；更晚的重置不等",
    "help_guard.option.is_open": "无法确认时放行",
    "help_guard.examples": (
        "perilune guard --min-left 20%\n"
        "perilune guard work --window 5h --min-left 50 --wait --max-wait 1h\n"
        "perilune guard lab --min-left CNY30 --json"
    ),
    "help_guard.exits": "0 1 2 4 5 69 130",
    "help_guard.exit.0": "余量充足",
    "help_guard.exit.1": "余量不足",
    "help_guard.environment": "PERILUNE_HOME PERILUNE_UPSTREAM",
    "help_guard.schema": "perilune.guard.v1",
}
