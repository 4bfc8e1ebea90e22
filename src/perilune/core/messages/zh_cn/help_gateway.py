"""Help pages of `perilune gateway`."""

MESSAGES = {
    "help_gateway.examples": "perilune gateway status\nperilune gateway try kimi-for-coding",
    "help_gateway.exits": "0 2",
    "help_gateway.status.examples": "perilune gateway status\nperilune gateway status --json",
    "help_gateway.status.exits": "0 2",
    "help_gateway.status.schema": "perilune.routes.v1",
    "help_gateway.env.more": "打印工具指向这里所需的设置，不创建任何东西。",
    "help_gateway.env.examples": 'eval "$(perilune gateway env claude)"\nperilune gateway env codex',
    "help_gateway.env.exits": "0 2",
    "help_gateway.env.option.key": "需要网关密钥时填写",
    "help_gateway.try.more": "像工具那样经路由发送一个小请求，会用掉几个 token。",
    "help_gateway.try.examples": "perilune gateway try kimi-for-coding\nperilune gateway try kimi-k2.6 --explain",
    "help_gateway.try.exits": "0 1 2 4 5 69",
    "help_gateway.try.option.explain": "只说明会用哪些槽位，不发送任何内容",
    "help_gateway.routes.examples": "perilune gateway routes list\nperilune gateway routes set default ci",
    "help_gateway.routes.exits": "0 2",
    "help_gateway.routes.list.examples": "perilune gateway routes list",
    "help_gateway.routes.list.exits": "0 2",
    "help_gateway.routes.set.more": "未提到的槽位保留在后面。运行中的服务会立即采用。",
    "help_gateway.routes.set.examples": "perilune gateway routes set default ci\nperilune gateway routes set default work ci",
    "help_gateway.routes.set.exits": "0 2",
}
