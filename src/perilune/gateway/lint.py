"""What is odd about a slot's settings: shown where they are saved, never in the way. Source: gateway reference 2.4."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from perilune.catalog.models import Model
from perilune.config.overrides import unwrapped
from perilune.core.errors import Problem
from perilune.gateway.slots import Slot
from perilune.providers.contract.registry import providers

_THINKING_FIELDS = ("thinking", "reasoning_effort", "reasoning", "output_config")
_SAMPLING = ("temperature", "top_p")
_FREE = ("none", "minimal")


class Looked(Struct, frozen=True, kw_only=True):
    """What is looked at: the slot, the traits of its model, and the body of a small request as it would leave."""

    slot: Slot
    model: str
    traits: Model | None
    body: bytes


def lints(looked: Looked) -> tuple[Problem, ...]:
    """Everything that is odd, as notes."""
    found = (_thinking, _budget, _sampling, _effort, _tool_choice, _shadow, _unreached, _window)
    final: Mapping[str, Any] = msgspec.json.decode(looked.body)
    return tuple(problem for look in found for problem in look(looked, final))


def _said(looked: Looked) -> Mapping[str, Any]:
    override = looked.slot.config.override
    return unwrapped(override, providers()) if override else {}


def _note(looked: Looked, code: str, variant: str = "", **facts: object) -> Problem:
    known = {"slot": looked.slot.name, "model": looked.model, "account": looked.slot.account}
    return Problem(code=f"PL-LINT-{code}", variant=variant, facts=known | facts, account=looked.slot.account)


def _thinking(looked: Looked, final: Mapping[str, Any]) -> Iterator[Problem]:
    traits = looked.traits
    if traits is not None and traits.thinking == "only":
        is_off = _inner(final, "thinking", "type") == "disabled"
        if is_off or looked.slot.config.thinking == "off":
            yield _note(looked, "THINKING")
    if "thinking" in final and "reasoning_effort" in final:
        yield _note(looked, "THINKING", "both")


def _budget(looked: Looked, final: Mapping[str, Any]) -> Iterator[Problem]:
    traits = looked.traits
    if traits is not None and traits.thinking_form != "none" and _inner(final, "thinking", "budget_tokens") is not None:
        yield _note(looked, "BUDGET", budget=_inner(final, "thinking", "budget_tokens"))


def _sampling(looked: Looked, final: Mapping[str, Any]) -> Iterator[Problem]:
    traits = looked.traits
    if traits is None or traits.sampling != "fixed":
        return
    fixed = {"temperature": _temperature(traits, final), "top_p": traits.top_p}
    for name in _SAMPLING:
        value = _said(looked).get(name)
        if value is not None and value != fixed[name]:
            shown = "–" if fixed[name] is None else fixed[name]
            yield _note(looked, "TEMPERATURE", parameter=name, value=value, fixed=shown)


def _temperature(traits: Model, final: Mapping[str, Any]) -> float | None:
    is_off = traits.thinking == "none" or _inner(final, "thinking", "type") == "disabled"
    return traits.temperature.thinking_off if is_off else traits.temperature.thinking_on


def _effort(looked: Looked, final: Mapping[str, Any]) -> Iterator[Problem]:
    traits = looked.traits
    if traits is None or not traits.efforts:
        return
    said = (
        final.get("reasoning_effort"),
        _inner(final, "thinking", "effort"),
        _inner(final, "reasoning", "effort"),
        _inner(final, "output_config", "effort"),
    )
    for effort in said:
        if effort is not None and effort not in traits.efforts and effort not in _FREE:
            yield _note(looked, "EFFORT", effort=effort, efforts=", ".join(traits.efforts))


def _tool_choice(looked: Looked, final: Mapping[str, Any]) -> Iterator[Problem]:
    choice, traits = _said(looked).get("tool_choice"), looked.traits
    word = choice.get("type") if isinstance(choice, dict) else choice
    forced = {"required": "required", "any": "required", "function": "named", "tool": "named"}.get(str(word))
    is_off = _inner(final, "thinking", "type") == "disabled"
    if forced is None or traits is None or traits.thinking == "none" or is_off:
        return
    if forced not in traits.tool_choice_with_thinking:
        yield _note(looked, "TOOLCHOICE")


def _shadow(looked: Looked, final: Mapping[str, Any]) -> Iterator[Problem]:
    own = [name for name in _THINKING_FIELDS if name in _said(looked)]
    if looked.slot.config.thinking is not None and own:
        yield _note(looked, "SHADOW", thinking=looked.slot.config.thinking, key=own[0])


def _unreached(looked: Looked, final: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in _said(looked).items():
        if value is not None and key not in final:
            yield _note(looked, "UNREACHED", key=key)


def _window(looked: Looked, final: Mapping[str, Any]) -> Iterator[Problem]:
    limit, traits = looked.slot.config.max_input_tokens, looked.traits
    if limit is not None and traits is not None and traits.context is not None and limit > traits.context:
        yield _note(looked, "WINDOW", limit=limit, context=traits.context)


def _inner(body: Mapping[str, Any], name: str, key: str) -> Any:
    value = body.get(name)
    return value.get(key) if isinstance(value, dict) else None
