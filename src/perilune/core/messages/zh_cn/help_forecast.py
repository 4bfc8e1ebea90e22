"""The help page of `perilune forecast`."""

MESSAGES = {
    "help_forecast.more": (
        "先读取超过一分钟的数据，再说明各窗口和余额的消耗速度及预计用尽时间。读数少于 3 次或不足窗口的 3% 时不作预测。"
    ),
    "help_forecast.option.names": "要查看的账号；未指定则为全部",
    "help_forecast.examples": ("perilune forecast\nperilune forecast work -v\nperilune forecast --json"),
    "help_forecast.exits": "0 1 2 4 5 69 130",
    "help_forecast.environment": "PERILUNE_HOME PERILUNE_UPSTREAM",
    "help_forecast.schema": "perilune.forecast.v1",
}
