"""Events as one line."""

MESSAGES = {
    "event.budget_soft": "网关密钥 {key} 已用完软预算 {budget}。",
    "event.failover": "{route}：{main} → {account}（{code}）。",
    "event.route_back": "{route}：切回 {account}。",
    "event.drift": "{account} 的返回格式有变化：{fields}。",
    "event.top_up": "{account} 充值 {currency} {amount}。",
    "event.review_done": "{title} 审查完成：{findings} 条发现。",
    "event.notify_failed": "渠道 {channel} 发送失败：{words}。",
}
