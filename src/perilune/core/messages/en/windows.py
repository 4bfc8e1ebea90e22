"""Names of windows and what is said about one in a sentence."""

MESSAGES = {
    "windows.5h": "5 h",
    "windows.7d": "7 days",
    "windows.month": "month",
    "windows.credits": "credits",
    "windows.quota": "{window}",
    "windows.unused": " {window} is {percent}% unused.",
    "windows.used": "{window} {percent}",
    "windows.comma": ", ",
}
