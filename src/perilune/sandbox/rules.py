"""The rules a vendor enforces on a request, in the order in which it refuses.

Each rule can be switched off in `Behaviour`. Sentences are those of `refusals`.
"""

import re
from typing import Any, Literal

from perilune.sandbox.behaviour import Behaviour
from perilune.sandbox.models import Model
from perilune.sandbox.refusals import refuse
from perilune.sandbox.speech import Asked
from perilune.sandbox.surfaces.parts import as_dict

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9\-_]{2,63}")
_EFFORTS = ("low", "high", "max")
_ALIASES = ("medium", "xhigh", "ultra", "minimum", "minimal", "light", "none")
_FREE = ("presence_penalty", "frequency_penalty")


def is_thinking(asked: Asked, model: Model, behaviour: Behaviour) -> bool:
    """Whether this request thinks, by the model's kind, what was asked, and the surface's default."""
    if model.thinking == "none":
        return False
    if model.thinking == "only":
        return True
    if asked.thinking is not None:
        return asked.thinking == "enabled"
    if asked.effort == "none":
        return False
    if asked.effort is not None:
        return True
    return asked.surface != "messages" or behaviour.messages_thinking == "model"


def check(asked: Asked, model: Model, behaviour: Behaviour, plan: Literal["moonshot", "kimi-code"]) -> None:
    """Lets a good request pass. Raises: Refused with the vendor's sentence."""
    _presence(asked)
    _content(asked, behaviour)
    if plan == "kimi-code":
        _size(asked, behaviour)
    _window(asked, model, behaviour, plan)
    thinking = is_thinking(asked, model, behaviour)
    _thinking_fields(asked, model, behaviour, plan)
    _sampling(asked.body, behaviour, thinking=thinking)
    _tools(asked, model, behaviour, thinking=thinking)
    _structured(asked, behaviour)
    if behaviour.needs_reasoning_content and thinking:
        _reasoning_kept(asked, takes_blank=behaviour.takes_blank_reasoning)
    if behaviour.checks_tool_ids:
        _results_answer_calls(asked)


def _presence(asked: Asked) -> None:
    if not asked.turns:
        raise refuse("dev-err-400-invalid-request", reason="messages is required")
    if asked.surface == "messages" and asked.cap is None:
        raise refuse("dev-err-400-invalid-request", reason="max_tokens is required and must be at least 1")


def _content(asked: Asked, behaviour: Behaviour) -> None:
    if any(word in asked.text for word in behaviour.filter_words):
        raise refuse("dev-err-400-content-filter")


def _size(asked: Asked, behaviour: Behaviour) -> None:
    if asked.size > behaviour.size_limit:
        raise refuse("code-err-400-body-size", size=asked.size, limit=behaviour.size_limit)


def _window(asked: Asked, model: Model, behaviour: Behaviour, plan: str) -> None:
    requested = asked.prompt_tokens + ((asked.cap or 0) if behaviour.strict_window else 0)
    if requested > model.context:
        name = "code-err-400-token-limit" if plan == "kimi-code" else "dev-err-400-token-limit"
        raise refuse(name, limit=model.context, requested=requested)


def _thinking_fields(asked: Asked, model: Model, behaviour: Behaviour, plan: str) -> None:
    body = asked.body
    if behaviour.thinking_or_effort and "thinking" in body and "reasoning_effort" in body:
        raise refuse("wild-400-both-thinking")
    if asked.effort is not None and not isinstance(asked.effort, str):
        raise refuse("dev-err-400-invalid-request", reason="reasoning_effort must be a string")
    if plan == "kimi-code" and asked.effort is not None and asked.effort not in (*_EFFORTS, *_ALIASES):
        raise refuse("dev-err-400-invalid-request", reason=f"invalid effort {asked.effort!r}")
    if model.thinking == "only" and asked.thinking == "disabled":
        raise refuse("dev-err-400-thinking-type")
    thinking = as_dict(body.get("thinking"))
    wants_budget = asked.surface == "messages" and thinking.get("type") == "enabled"
    if behaviour.needs_budget_tokens and wants_budget and "budget_tokens" not in thinking:
        raise refuse("wild-400-budget-tokens")


def _sampling(body: dict[str, Any], behaviour: Behaviour, *, thinking: bool) -> None:
    if not behaviour.fixed_sampling:
        return
    allowed: dict[str, float] = {"temperature": 1 if thinking else 0.6, "top_p": 0.95, "n": 1}
    allowed |= dict.fromkeys(_FREE, 0)
    for parameter, value in allowed.items():
        given = body.get(parameter)
        if given is not None and given != value:
            raise refuse("dev-err-400-temperature-fixed", parameter=parameter, value=value)


def _tools(asked: Asked, model: Model, behaviour: Behaviour, *, thinking: bool) -> None:
    if len(asked.tools) > behaviour.max_tools:
        raise refuse("dev-err-400-invalid-request", reason=f"tools exceeds the limit of {behaviour.max_tools}")
    functions = [tool for tool in asked.tools if tool.kind == "function"]
    if behaviour.function_names and not all(_NAME.fullmatch(tool.name) for tool in functions):
        raise refuse("wild-400-function-name")
    is_forced = asked.choice in ("required", "specified") and asked.choice not in model.forced_tools
    if behaviour.forced_tool_needs_thinking_off and thinking and is_forced:
        raise refuse("wild-400-tool-choice", choice=asked.choice)


def _structured(asked: Asked, behaviour: Behaviour) -> None:
    if asked.structured == "json_schema" and asked.model in behaviour.no_json_schema:
        raise refuse("wild-400-json-schema")
    if behaviour.word_json and asked.structured == "json_object" and "json" not in asked.text.lower():
        raise refuse("wild-400-word-json")


def _reasoning_kept(asked: Asked, *, takes_blank: bool) -> None:
    """Every assistant turn with tool calls must carry its reasoning; the index is that in `messages`."""
    shift = len(asked.turns) - len(asked.body.get("messages") or asked.turns)
    for index, turn in enumerate(asked.turns):
        if turn.role == "assistant" and turn.calls and not _is_thought(turn.reasoning, takes_blank=takes_blank):
            raise refuse("dev-err-400-reasoning-missing", index=index - shift)


def _is_thought(reasoning: str | None, *, takes_blank: bool) -> bool:
    kept = reasoning or ""
    return bool(kept if takes_blank else kept.strip())


def _results_answer_calls(asked: Asked) -> None:
    known: set[str] = set()
    for turn in asked.turns:
        for answered in turn.answers:
            if answered not in known:
                raise refuse("dev-err-400-invalid-request", reason=f"tool_call_id {answered} is not found")
        known.update(turn.call_ids)
