"""Switches: every habit of the vendors that a test may want to turn."""

from typing import Literal

from msgspec import Struct, field

RetryForm = Literal[
    "seconds", "decimal", "ms", "date", "ratelimit-reset-delta", "ratelimit-reset-epoch", "ratelimit-reset-ms",
    "message", "message-for", "message-minutes", "message-ms", "garbage", "negative", "huge", "none",
]  # fmt: skip


class Behaviour(Struct, kw_only=True, forbid_unknown_fields=True):
    """How the played vendors behave. The defaults are what the references hold to be usual."""

    # Kimi Code
    gate: Literal["chat", "all", "off"] = "chat"
    agents: list[str] = field(
        default_factory=lambda: ["KimiCLI/", "kimi-code-cli/", "claude-cli/", "claude-code/", "RooCode", "KiloCode"]
    )
    unknown_code_model: Literal["serve", "refuse"] = "serve"
    size_limit: int = 2_097_152
    messages_quota_type: str = "permission_error"
    concurrency_words: Literal["too-many", "max"] = "too-many"
    idle_reset: Literal["absent", "moving"] = "absent"
    omits_zero_used: bool = False
    # parameter rules
    fixed_sampling: bool = True
    thinking_or_effort: bool = True
    forced_tool_needs_thinking_off: bool = True
    needs_reasoning_content: bool = True
    takes_blank_reasoning: bool = True
    function_names: bool = True
    max_tools: int = 128
    word_json: bool = True
    no_json_schema: list[str] = field(default_factory=list)
    strict_window: bool = False
    needs_budget_tokens: bool = False
    checks_tool_ids: bool = True
    messages_thinking: Literal["asked", "model"] = "asked"
    filter_words: list[str] = field(default_factory=lambda: ["TRIGGER-CONTENT-FILTER"])
    serves_count_tokens: bool = True
    # answers
    usage: Literal["usual", "choice-only", "last-only", "different", "none"] = "usual"
    cached: Literal["both", "top", "nested", "different", "none"] = "both"
    sends_done: bool = True
    pings: bool = True
    retry_after: RetryForm = "seconds"
    date_skew_s: float = 0
    base_status: Literal[404, 200] = 404
    private_headers: bool = True
