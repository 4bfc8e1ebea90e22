"""The long form of codes whose short form does not say it all, and the labels of the page."""

MESSAGES = {
    "explain.exit": "退出码 {status}",
    "explain.what": "含义",
    "explain.seen": "表现",
    "explain.does": "处理",
    "explain.can": "可以",
    "explain.see": "另见",
    "explain.PL-QUOTA-5H.title": "Kimi Code 套餐的 5 小时窗口已用尽",
    "explain.PL-QUOTA-5H.what": "窗口重置之前，服务方拒绝请求。",
    "explain.PL-QUOTA-5H.seen": "403 access_terminated_error“… 5-hour usage limit …”；旧版：429；\n"
    "或读数显示 5 小时窗口已满时的“billing cycle”字样。",
    "explain.PL-QUOTA-5H.does": "网关在重置前不再使用该账号，改用下一个槽位；此前不重试。\n状态显示“用尽”。",
    "explain.PL-QUOTA-5H.can": "免费等待 · 使用备用 · 购买额外用量 · 升级套餐",
    "explain.PL-QUOTA-5H.see": "PL-QUOTA-7D, PL-QUOTA-MONTH, PL-QUOTA-UNKNOWN",
}
