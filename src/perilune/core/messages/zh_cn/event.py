"""Events as one line."""

MESSAGES = {
    "event.failover": "{route}：{main} → {account}（{code}）。",
    "event.route_back": "{route}：切回 {account}。",
    "event.top_up": "{account} 充值 {currency} {amount}。",
    "event.review_done": "{title} 审查完成：{findings} 条发现。",
    "event.notify_failed": "渠道 {channel} 发送失败：{words}。",
}
