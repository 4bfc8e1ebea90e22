"""The command `perilune sandbox`."""

MESSAGES = {
    "sandbox.playing": (
        "正在扮演 api.kimi.com、api.kimi.ai、api.moonshot.ai、api.moonshot.cn 等服务，\n"
        "地址 {url}。场景 {scenario}。不会联系任何真实服务。\n"
        "  export PERILUNE_UPSTREAM={url}"
    ),
    "sandbox.authority": "其证书的颁发机构，客户端需信任它：",
    "sandbox.keys": "此场景的虚构密钥，仅在此处有效：",
    "sandbox.forges": "本地扮演的代码托管平台，各有一个合并请求。把需要的写入 config.toml：",
}
