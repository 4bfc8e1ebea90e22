"""The help page of `perilune explain`."""

MESSAGES = {
    "help_explain.more": "不分大小写，可省略 PL-。不带代码：列出全部。",
    "help_explain.examples": "perilune explain PL-QUOTA-5H\nperilune explain 401-key --json",
    "help_explain.exits": "0 2",
    "help_explain.environment": "PERILUNE_LANG",
}
