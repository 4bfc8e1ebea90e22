"""Help pages of `perilune gateway`."""

MESSAGES = {
    "help_gateway.examples": "perilune gateway status\nperilune gateway try kimi-for-coding",
    "help_gateway.exits": "0 2",
    "help_gateway.status.examples": "perilune gateway status\nperilune gateway status --json",
    "help_gateway.status.exits": "0 2",
    "help_gateway.status.schema": "perilune.routes.v1",
    "help_gateway.env.more": "Prints what the tool needs to point here. It creates nothing.",
    "help_gateway.env.examples": 'eval "$(perilune gateway env claude)"\nperilune gateway env codex',
    "help_gateway.env.exits": "0 2",
    "help_gateway.env.option.key": "the gateway key, where one is required",
    "help_gateway.try.more": "One small request through the routes, as a tool would send it. It costs a few tokens.",
    "help_gateway.try.examples": "perilune gateway try kimi-for-coding\nperilune gateway try kimi-k2.6 --explain",
    "help_gateway.try.exits": "0 1 2 4 5 69",
    "help_gateway.try.option.explain": "only tell which slots would be used; nothing is sent",
    "help_gateway.routes.examples": "perilune gateway routes list\nperilune gateway routes set default ci",
    "help_gateway.routes.exits": "0 2",
    "help_gateway.routes.list.examples": "perilune gateway routes list",
    "help_gateway.routes.list.exits": "0 2",
    "help_gateway.routes.set.more": "Slots that are not named stay, behind the named ones. A running service takes it over at once.",
    "help_gateway.routes.set.examples": "perilune gateway routes set default ci\nperilune gateway routes set default work ci",
    "help_gateway.routes.set.exits": "0 2",
}
