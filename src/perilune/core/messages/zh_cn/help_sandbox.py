"""The help page of `perilune sandbox`."""

MESSAGES = {
    "help_sandbox.more": (
        "在本机扮演各服务方，使用虚构密钥，供试用和测试。按 Ctrl-C 停止。"
        "将 PERILUNE_UPSTREAM 设为其地址后，其他命令都改为访问它，而不访问真实服务。"
    ),
    "help_sandbox.examples": (
        "perilune sandbox\n"
        "perilune sandbox --scenario spent-5h\n"
        "perilune sandbox --listen 127.0.0.1:9010 --scenario ./mine.toml"
    ),
    "help_sandbox.exits": "0 1 2 130",
    "help_sandbox.option.listen": "本机地址和端口",
    "help_sandbox.option.tls": "以 TLS 应答，并使用此类证书",
    "help_sandbox.option.scenario": "场景名称或 TOML 文件",
    "help_sandbox.option.with_forges": "同时扮演 GitHub、GitLab 和 Gitea，各有一个合并请求",
}
