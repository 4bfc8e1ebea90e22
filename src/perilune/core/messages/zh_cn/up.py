"""`perilune up`."""

MESSAGES = {
    "up.ready": "perilune {version} · {url}   （{reach}）",
    "up.reach_local": "仅本机，无需登录",
    "up.reach_network": "需要令牌",
    "up.in_clear": "监听 {listen}：需要令牌；密钥、提示词和回答以明文经过网络\n（此处没有 TLS）",
    "up.gateway": "  网关       /v1   3 种协议，{routes}",
    "up.routes_none": "还没有路由",
    "up.routes_one": "1 条路由：{route}",
    "up.routes_many": "{count} 条路由：{route} …",
    "up.caps": "{route}，并发上限 {caps}",
    "up.and": " 和 ",
    "up.dashboard": "  页面       {url}/",
    "up.monitor": "  监控       {count} 个账号，每 {minutes} 分钟",
    "up.monitor_one": "  监控       1 个账号，每 {minutes} 分钟",
    "up.reviews_hooks": "  审查       Webhook：{paths}",
    "up.reviews": "  审查       空闲，未配置 Webhook",
    "up.point": "把工具指向这里：perilune gateway env claude|codex|opencode|kimi|sh",
    "up.demo": "DEMO：未使用任何真实账号，所有数字都由程序内置的沙盒扮演。",
    "up.demo_no_key": "还没有密钥，页面显示带标记的演示。在页面粘贴密钥，或运行：perilune add",
    "up.terms": "{account}：{plan} 仅限个人开发使用",
}
