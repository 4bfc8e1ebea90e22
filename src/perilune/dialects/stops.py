"""Stop reasons as each dialect writes them. Source: gateway reference 1.6."""

from perilune.dialects.form import StopReason

_FROM_CHAT = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "tool_calls": StopReason.TOOLS,
    "function_call": StopReason.TOOLS,
    "content_filter": StopReason.FILTER,
}
_FROM_MESSAGES = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "tool_use": StopReason.TOOLS,
    "refusal": StopReason.FILTER,
    "pause_turn": StopReason.PAUSE,
}
_TO_CHAT = {
    StopReason.END: "stop",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.PAUSE: "stop",
    StopReason.LENGTH: "length",
    StopReason.TOOLS: "tool_calls",
    StopReason.FILTER: "content_filter",
}
_TO_MESSAGES = {
    StopReason.END: "end_turn",
    StopReason.STOP_SEQUENCE: "stop_sequence",
    StopReason.PAUSE: "pause_turn",
    StopReason.LENGTH: "max_tokens",
    StopReason.TOOLS: "tool_use",
    StopReason.FILTER: "refusal",
    StopReason.UNKNOWN: "end_turn",
}


def stop_from_chat(text: str, *, has_calls: bool) -> StopReason:
    """The stop behind a `finish_reason`; one that is absent on an answer with calls is `tool_calls`."""
    if not text:
        return StopReason.TOOLS if has_calls else StopReason.END
    return _FROM_CHAT.get(text, StopReason.UNKNOWN)


def stop_from_messages(text: str) -> StopReason:
    """The stop behind a `stop_reason`."""
    return _FROM_MESSAGES.get(text, StopReason.UNKNOWN) if text else StopReason.END


def stop_from_responses(status: str, reason: str, *, has_calls: bool) -> StopReason:
    """The stop behind a response's `status` and `incomplete_details.reason`."""
    if status != "incomplete":
        return StopReason.TOOLS if has_calls else StopReason.END
    return StopReason.FILTER if reason == "content_filter" else StopReason.LENGTH


def chat_stop(stop: StopReason, text: str) -> str:
    """The `finish_reason`; a word that no table knows passes through."""
    return _TO_CHAT.get(stop) or text or "stop"


def messages_stop(stop: StopReason, stop_sequence: str | None) -> str:
    """The `stop_reason`; a matched stop string counts only when it is known."""
    if stop is StopReason.STOP_SEQUENCE and stop_sequence is None:
        return "end_turn"
    return _TO_MESSAGES[stop]


def responses_stop(stop: StopReason) -> tuple[str, str | None]:
    """The `status` and, where it is incomplete, the reason."""
    if stop is StopReason.LENGTH:
        return "incomplete", "max_output_tokens"
    if stop is StopReason.FILTER:
        return "incomplete", "content_filter"
    return "completed", None
