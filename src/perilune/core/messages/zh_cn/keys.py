"""`perilune gateway keys`: budgets."""

MESSAGES = {
    "keys.changed": "{name}：已更改",
    "keys.used": "{used} / {limit}",
    "keys.larger": "本路由中另有 {models}。",
    "keys.not_for": "{state}（不供 {classes} 使用）",
}
