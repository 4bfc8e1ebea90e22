"""Names of windows and what is said about one in a sentence."""

MESSAGES = {
    "windows.5h": "5 小时",
    "windows.7d": "7 天",
    "windows.month": "本月",
    "windows.credits": "点数",
    "windows.quota": "{window}额度",
    "windows.unused": "；{window}还剩 {percent}%",
    "windows.used": "{window} {percent}",
    "windows.comma": "、",
}
