"""Errors of our own house: the sandbox."""

MESSAGES = {
    "PL-SANDBOX.what": "PERILUNE_UPSTREAM 必须是本机地址",
    "PL-SANDBOX.what.listen": "沙盒不能监听 {address}，只能监听本机",
    "PL-SANDBOX.what.address": "“{address}”不是 主机:端口 形式的地址",
    "PL-SANDBOX.what.scenario": "无法播放场景 {scenario}：{reason}",
    "PL-SANDBOX.why.listen": "它接受任何虚构密钥，且无需登录",
    "PL-SANDBOX.fix.1": "unset PERILUNE_UPSTREAM",
    "PL-SANDBOX.fix.1.listen": "perilune sandbox --listen 127.0.0.1:9009",
    "PL-SANDBOX.fix.1.address": "perilune sandbox --listen 127.0.0.1:9009",
    "PL-SANDBOX.fix.1.scenario": "perilune sandbox --help",
}
