"""Help pages of `perilune add`."""

MESSAGES = {
    "help_add.more": "先清理，再以免费的只读请求在官方地址上试读；之前一行会说明是哪些。--plan、--region 可缩小范围。",
    "help_add.option.from_stdin": "从标准输入读取密钥",
    "help_add.option.name": "账号名，默认取套餐名",
    "help_add.option.plan": "只试该套餐的地址",
    "help_add.option.region": "cn 或 intl；只试该区域的地址",
    "help_add.option.base_url": "密钥只属于该地址",
    "help_add.option.no_probe": "不试读直接保存；需要 --plan 与 --region",
    "help_add.option.origin": "env：环境变量中的密钥；kimi-cli：其登录；token：粘贴的网页登录；browser[:NAME]：浏览器中的",
    "help_add.examples": "perilune add\nperilune add --stdin --plan moonshot --region intl < key.txt",
    "help_add.exits": "0 2 4 69",
    "help_add.environment": "PERILUNE_HOME PERILUNE_MASTER_KEY MOONSHOT_API_KEY KIMI_CODE_API_KEY",
    "help_add.schema": "perilune.add.v1",
}
