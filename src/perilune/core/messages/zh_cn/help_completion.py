"""The help page of `perilune completion`."""

MESSAGES = {
    "help_completion.more": "补全命令、选项、账号名、路由名、渠道名和代码；不访问网络。",
    "help_completion.examples": 'eval "$(perilune completion bash)"\nperilune completion fish | source\n'
    "perilune completion powershell | Out-String | Invoke-Expression",
    "help_completion.exits": "0 2",
    "help_completion.environment": "PERILUNE_HOME",
}
