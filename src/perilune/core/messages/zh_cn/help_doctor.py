"""The help page of `perilune doctor`."""

MESSAGES = {
    "help_doctor.more": "账号用各自的密钥以免费调用读取；其他官方地址只做不带密钥的连接。"
    "有问题时退出码为 1，仅有警告时为 0。",
    "help_doctor.examples": "perilune doctor\nperilune doctor --fix\nperilune doctor --bundle report.zip",
    "help_doctor.exits": "0 1 2",
    "help_doctor.environment": "PERILUNE_HOME PERILUNE_UPSTREAM PERILUNE_LANG",
    "help_doctor.schema": "perilune.doctor.v1",
    "help_doctor.option.fix": "只做可撤销的修复：文件权限、丢失的命令、缺少的目录",
    "help_doctor.option.bundle": "写出已脱敏的归档并列出内容；不发送任何内容",
}
