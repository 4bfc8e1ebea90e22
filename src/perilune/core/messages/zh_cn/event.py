"""Events as one line."""

MESSAGES = {
    "event.budget_soft": "网关密钥 {key} 已用完软预算 {budget}。",
    "event.spent": "{account} {window}窗口已用完，{until} 恢复。",
    "event.spent_unknown": "{account} 额度已用完。",
    "event.back": "{account} 已恢复。",
    "event.high": "{account} {window}窗口：已用 {percent}%。",
    "event.balance_low": "{account}：可用余额 {amount}。",
    "event.balance_empty": "{account} 余额不足。",
    "event.refused": "{account} 被拒（{code}）。",
    "event.failover": "{route}：{main} → {account}（{code}）。",
    "event.route_back": "{route}：切回 {account}。",
    "event.top_up": "{account} 充值 {currency} {amount}。",
    "event.review_done": "{title} 审查完成：{findings} 条发现。",
}
