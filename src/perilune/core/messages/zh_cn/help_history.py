"""The help page of `perilune history`."""

MESSAGES = {
    "help_history.more": (
        "请求数、token 数和费用的合计，以及 5 小时窗口的峰值。不同货币从不相加；没有数据的一天显示短横，"
        "没有使用的一天显示 0。加 -v 还会列出窗口的每个周期和充值。"
        "其他程序的日志只在设置 history.local_logs 后读取，并标为“估”。"
    ),
    "help_history.option.since": "30d、12h、4w，或 2026-11-01 这样的日期",
    "help_history.option.by": "每行代表什么",
    "help_history.option.is_csv": "CSV，时间为 UTC",
    "help_history.examples": (
        "perilune history --since 3d\n"
        "perilune history --since 30d --by model\n"
        "perilune history --since 2026-11-01 --by account --csv"
    ),
    "help_history.exits": "0 1 2 130",
    "help_history.environment": "PERILUNE_HOME",
    "help_history.schema": "perilune.history.v1",
}
