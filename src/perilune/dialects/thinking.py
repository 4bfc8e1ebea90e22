"""How much the client wants the model to think, read from any dialect. Source: gateway reference 2.2."""

from typing import Any, Literal

from perilune.dialects.head import Head

Thinking = Literal["off", "on", "low", "medium", "high", "max"]

_EFFORTS: dict[str, Thinking] = {
    "none": "off",
    "minimal": "low",
    "minimum": "low",
    "light": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "ultra": "max",
    "max": "max",
}
_TYPES: dict[str, Thinking] = {"disabled": "off", "enabled": "on", "adaptive": "on"}


def wanted_thinking(head: Head) -> Thinking | None:
    """The client's wish in one word, None when it said nothing. Off wins over an effort, an effort over a bare on."""
    switch = _switch(head.thinking)
    effort = _first_effort(head)
    if "off" in (switch, effort):
        return "off"
    if effort is not None:
        return effort
    if switch == "on" and isinstance(head.thinking, dict):
        return _from_budget(head.thinking.get("budget_tokens")) or "on"
    return switch


def _first_effort(head: Head) -> Thinking | None:
    inside = head.thinking.get("effort") if isinstance(head.thinking, dict) else None
    candidates = (head.reasoning_effort, head.reasoning, head.output_config, inside)
    return next((effort for value in candidates if (effort := _effort(value)) is not None), None)


def _effort(value: Any) -> Thinking | None:
    word = value.get("effort") if isinstance(value, dict) else value
    return _EFFORTS.get(word.lower()) if isinstance(word, str) else None


def _switch(thinking: Any) -> Thinking | None:
    word = thinking.get("type") if isinstance(thinking, dict) else None
    return _TYPES.get(word) if isinstance(word, str) else None


def _from_budget(budget: Any) -> Thinking | None:
    if not isinstance(budget, int) or isinstance(budget, bool):
        return None
    if budget <= 8192:
        return "low"
    return "high" if budget <= 32768 else "max"
