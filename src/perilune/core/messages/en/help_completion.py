"""The help page of `perilune completion`."""

MESSAGES = {
    "help_completion.more": "Completes commands, flags, names of accounts, routes and channels, and codes. Nothing is "
    "asked over the network.",
    "help_completion.examples": 'eval "$(perilune completion bash)"\nperilune completion fish | source\n'
    "perilune completion powershell | Out-String | Invoke-Expression",
    "help_completion.exits": "0 2",
    "help_completion.environment": "PERILUNE_HOME",
}
