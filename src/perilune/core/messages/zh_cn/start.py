"""Words of the first run."""

MESSAGES = {
    "start.found": "还没有账号。在本机找到（未发送，未复制）：",
    "start.which": "使用哪些？[{numbers}, all, none]（all）：",
    "start.not_taken": "未采用 {where}：改为添加 API 密钥：perilune add",
    "start.nothing": "还没有账号，本机也没有 Kimi 或 Moonshot 的凭据。\n"
    "  粘贴密钥：    perilune add\n"
    "  在哪里创建：  Kimi Code  kimi.com/code/console  或  kimi.ai/code/console\n"
    "                Moonshot   platform.kimi.com      或  platform.kimi.ai\n"
    "  先看一看：    perilune up --demo --open",
}
