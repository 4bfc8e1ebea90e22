"""拉取请求评论中命令的回答。"""

MESSAGES = {
    "pull.nothing_new": "{head} 已审查过。要重新购买一次审查，用 `review --force`。",
    "pull.no_finding": "在某条发现的讨论中以回复的方式使用此命令。",
    "pull.help": "命令（写在 at 符号和机器人名称之后，仅限有写权限的成员）：",
    "pull.help.review": "审查当前提交；`--force` 重新购买；其他文字表示最关心什么",
    "pull.help.explain": "在某条发现的讨论中：说明理由",
    "pull.help.dismiss": "在某条发现的讨论中：不需要，同类发现 90 天内不再提出",
    "pull.help.resolve": "在某条发现的讨论中：已解决",
    "pull.help.reopen": "在某条发现的讨论中：重新打开",
    "pull.help.pause": "暂停此拉取请求的自动审查",
    "pull.help.resume": "恢复自动审查",
    "pull.help.stop": "结束正在进行的审查",
    "pull.help.status": "未解决的发现、最近一次审查、剩余额度",
    "pull.help.config": "生效的设置",
    "pull.help.help": "本列表",
    "pull.paused": "此拉取请求的自动审查已暂停。",
    "pull.last": "最近审查：{head}，{at}。",
    "pull.quota": "第 {slot} 个槽位，{window}：已用 {used}。",
    "pull.open": "未解决的发现：{count}。",
    "pull.config": "生效的设置：",
}
