"""The help page of `perilune up`."""

MESSAGES = {
    "help_up.more": "一直运行到被停止。还没有账号时，页面会要一个密钥并显示带标记的演示。",
    "help_up.examples": "perilune up --open\nperilune up --demo\nperilune up --listen 127.0.0.1:9787",
    "help_up.exits": "0 1 2",
    "help_up.environment": "PERILUNE_HOME PERILUNE_TOKEN PERILUNE_SECTION_KEY PERILUNE_UPSTREAM",
    "help_up.option.listen": "监听地址；超出本机时需要令牌",
    "help_up.option.opens": "在浏览器中打开页面",
    "help_up.option.demo": "由沙盒扮演的演示，不保留任何数据",
    "help_up.option.token_file": "存放令牌的文件",
}
