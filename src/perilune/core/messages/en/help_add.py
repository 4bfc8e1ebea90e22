"""Help pages of `perilune add`."""

MESSAGES = {
    "help_add.more": "Cleaned, then tried with free read-only calls on official hosts; "
    "the line before says which. --plan and --region narrow it.",
    "help_add.option.from_stdin": "read the key from standard input",
    "help_add.option.name": "name of the account; the plan's by default",
    "help_add.option.plan": "ask this plan's hosts only",
    "help_add.option.region": "cn or intl; ask this region's hosts only",
    "help_add.option.base_url": "the key belongs to this address alone",
    "help_add.option.no_probe": "save untried; needs --plan and --region",
    "help_add.option.origin": "env: keys in the environment; kimi-cli: its login; token: a pasted web session; "
    "browser[:NAME]: a browser's",
    "help_add.examples": "perilune add\nperilune add --stdin --plan moonshot --region intl < key.txt",
    "help_add.exits": "0 2 4 69",
    "help_add.environment": "PERILUNE_HOME PERILUNE_MASTER_KEY MOONSHOT_API_KEY KIMI_CODE_API_KEY",
    "help_add.schema": "perilune.add.v1",
}
