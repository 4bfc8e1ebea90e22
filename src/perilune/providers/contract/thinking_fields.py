"""One word for how much to think, as the fields that each kind of model takes on each surface.

Source: gateway reference 2.2, the table of settings. `toggle` models take on or off, `effort` models take an effort,
`toggle+effort` models both.
"""

from typing import Any

from perilune.catalog.models import Model
from perilune.dialects.form import Dialect
from perilune.dialects.splice import REMOVE
from perilune.dialects.thinking import Thinking
from perilune.providers.contract.send import Asked

_ORDER = ("low", "medium", "high", "max")
_FIELDS = ("thinking", "reasoning_effort", "reasoning", "output_config")


def thinking_changes(asked: Asked, traits: Model) -> dict[str, object]:
    """What of the thinking fields has to change; when neither slot nor client spoke, only unknown efforts are out."""
    if asked.thinking is None:
        return _without_effort(asked)
    wanted = _wanted_fields(asked, asked.thinking, traits)
    changes: dict[str, object] = {}
    for name in _FIELDS:
        present = getattr(asked.head, name)
        target = _kept_beside(name, present, wanted.get(name))
        if target is None and present is not None:
            changes[name] = REMOVE
        elif target is not None and target != present:
            changes[name] = target
    return changes


def offered_effort(thinking: Thinking, traits: Model) -> str | None:
    """The effort sent for a setting: the next one up that the model offers, else its highest; None for on and off."""
    if thinking in ("off", "on"):
        return None
    offered = [effort for effort in _ORDER if effort in traits.efforts] or ["low", "high", "max"]
    floor = _ORDER.index(thinking)
    return next((effort for effort in offered if _ORDER.index(effort) >= floor), offered[-1])


def _wanted_fields(asked: Asked, thinking: Thinking, traits: Model) -> dict[str, Any]:
    if traits.thinking == "none" or traits.thinking_form == "none":
        return {}
    must_think = traits.thinking == "only"
    if must_think and thinking == "off" and "effort" in traits.thinking_form:
        thinking = "low"
    effort = offered_effort(thinking, traits) if "effort" in traits.thinking_form else None
    fields: dict[str, Any] = {}
    if "toggle" in traits.thinking_form and not must_think:
        fields |= _switch(asked, thinking, traits)
    if effort is not None:
        _put_effort(asked.surface, fields, effort)
    return fields


def _without_effort(asked: Asked) -> dict[str, object]:
    """An effort that is no known word is silently ignored by the vendor and costs the most, so it never leaves."""
    changes: dict[str, object] = {}
    if asked.head.reasoning_effort is not None:
        changes["reasoning_effort"] = REMOVE
    for name in ("thinking", "reasoning", "output_config"):
        present = getattr(asked.head, name)
        if isinstance(present, dict) and "effort" in present:
            rest = {key: value for key, value in present.items() if key != "effort"}
            changes[name] = rest or REMOVE
    return changes


def _switch(asked: Asked, thinking: Thinking, traits: Model) -> dict[str, Any]:
    """On or off. Responses has no switch: there, off is an effort of its own, on is what the model does by itself."""
    if asked.surface is not Dialect.RESPONSES:
        return {"thinking": _toggle(asked, thinking, traits)}
    return {"reasoning": {"effort": "none"}} if thinking == "off" else {}


def _toggle(asked: Asked, thinking: Thinking, traits: Model) -> dict[str, Any]:
    toggle: dict[str, Any] = {"type": "disabled" if thinking == "off" else "enabled"}
    present = asked.head.thinking
    if traits.thinking_keep and thinking != "off" and isinstance(present, dict) and "keep" in present:
        toggle["keep"] = present["keep"]
    return toggle


def _put_effort(surface: Dialect, fields: dict[str, Any], effort: str) -> None:
    if surface is Dialect.MESSAGES:
        fields["output_config"] = {"effort": effort}
    elif surface is Dialect.RESPONSES:
        fields["reasoning"] = {"effort": effort}
    elif "thinking" in fields:
        fields["thinking"] = {**fields["thinking"], "effort": effort}
    else:
        fields["reasoning_effort"] = effort


def _kept_beside(name: str, present: Any, target: Any) -> Any:
    """Other keys of an object that also says other things (`reasoning.summary`, `output_config.format`) stay."""
    if name not in ("reasoning", "output_config") or not isinstance(present, dict):
        return target
    rest = {key: value for key, value in present.items() if key != "effort"}
    return {**rest, **target} if isinstance(target, dict) else rest or None
