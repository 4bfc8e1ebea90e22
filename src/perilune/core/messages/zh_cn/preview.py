"""What would leave for a slot."""

MESSAGES: dict[str, str] = {
    "preview.head": "{slot}  {surface}",
    "preview.same": "与客户端所发一致：{keys}",
    "preview.cause.override": "override",
    "preview.cause.slot": "slot",
    "preview.cause.rule": "规则",
    "preview.adjusted": "告知客户端：{adjusted}",
    "preview.override.set": "{slot}：override {override}",
    "preview.override.removed": "{slot}：已移除 override",
}
