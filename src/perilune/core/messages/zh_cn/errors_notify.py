"""Errors of notifications."""

MESSAGES = {
    "PL-NOTIFY.what": "{channel}（{kind}）发送失败：{reason}",
    "PL-NOTIFY.fix.1": "perilune notify test {channel}",
    "PL-NOTIFY.fix.2": "perilune notify remove {channel}",
    "PL-NOTIFY.note": "渠道恢复后，未送达的消息会再发一次。",
    "PL-USAGE.what.notify_name": "{name} 不能作渠道名：只能用 1 到 64 个字母、数字、.、- 和 _",
    "PL-USAGE.what.notify_taken": "已有名为 {name} 的渠道",
    "PL-USAGE.what.notify_unknown": "没有渠道 {name}，最接近：{nearest}",
    "PL-USAGE.what.notify_unknown_far": "没有渠道 {name}",
    "PL-USAGE.what.notify_span": "{value} 不是时长：写作 30m、2h、1d，0 表示结束静音",
    "PL-USAGE.fix.1.notify_name": "perilune notify add --help",
    "PL-USAGE.fix.1.notify_taken": "perilune notify list",
    "PL-USAGE.fix.1.notify_unknown": "perilune notify list",
    "PL-USAGE.fix.1.notify_unknown_far": "perilune notify list",
    "PL-USAGE.fix.1.notify_span": "perilune notify mute 2h",
}
