"""Notes on settings that are odd."""

MESSAGES: dict[str, str] = {
    "PL-LINT-THINKING.what": "{slot}：{model} 无法关闭思考；off 会按最低强度发送，或不发送",
    "PL-LINT-THINKING.what.both": "{slot}：请求体同时含 thinking 与 reasoning_effort，官方会拒绝",
    "PL-LINT-BUDGET.what": "{slot}：{model} 没有思考 token 预算；budget_tokens {budget} 按你的要求照发",
    "PL-LINT-TEMPERATURE.what": "{slot}：{model} 的 {parameter} 只能是 {fixed}；{value} 会被拒绝",
    "PL-LINT-EFFORT.what": "{slot}：{model} 不提供强度 {effort}，只有 {efforts}",
    "PL-LINT-TOOLCHOICE.what": "{slot}：{model} 思考时拒绝强制工具",
    "PL-LINT-SHADOW.what": "{slot}：slot 的 thinking {thinking} 不起作用，override 已设置 {key}",
    "PL-LINT-UNREACHED.what": "{slot}：override 中的 {key} 不会出现在最终请求体中",
    "PL-LINT-WINDOW.what": "{slot}：max_input_tokens {limit} 超过 {model} 的上限 {context} token",
}
