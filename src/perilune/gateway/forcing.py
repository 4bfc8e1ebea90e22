"""A tool that must be called, for a model that does not take that while it thinks. Source: gateway reference 2.3."""

from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from perilune.catalog.models import Model
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body, Head
from perilune.dialects.thinking import Thinking

Forcing = Literal["asked", "only", "told"]
_FORCED = ("required", "any")
_NAMED = ("function", "tool")
_decode_raws = msgspec.json.Decoder(list[Raw]).decode


class Mind(Struct, frozen=True):
    """How much to think, and how a forced tool is asked for.

    Shape: `forcing` `asked` leaves the choice as it is, `only` offers the named tool alone and demands a call, `told`
    says it in words and leaves the choice to the model.
    """

    thinking: Thinking | None
    forcing: Forcing = "asked"
    notes: tuple[str, ...] = ()


def mind_of(head: Head, said: Thinking | None, traits: Model | None, *, thinking_off: bool) -> Mind:
    """What holds for this request: `said` is the slot's word, else the client's; `thinking_off` a correction."""
    if traits is None:
        return Mind(said)
    can_stop = traits.thinking == "both"
    if thinking_off and can_stop:
        return Mind("off", notes=("thinking=off",))
    forced = forced_choice(head)
    if forced is None or not thinks(traits, said) or forced in traits.tool_choice_with_thinking:
        return Mind(said)
    if "required" in traits.tool_choice_with_thinking:
        return Mind(said, "only", ("tool_choice",))
    if can_stop and said is None:
        return Mind("off", notes=("thinking=off",))
    return Mind(said, "told", ("tool_choice",))


def thinks(traits: Model | None, thinking: Thinking | None) -> bool:
    """True where a request with this setting is thought about."""
    if traits is None or traits.thinking == "none":
        return False
    return traits.thinking == "only" or thinking != "off"


def forced_choice(head: Head) -> Literal["required", "named"] | None:
    """`required` or `named` when a tool must be called, None when none must."""
    word = _word(head)
    if word in _FORCED:
        return "required"
    return "named" if word in _NAMED and isinstance(head.tool_choice, dict) else None


def notice_of(head: Head) -> str:
    """The one line that asks in words for what the choice may not demand."""
    name = chosen_name(head)
    return f"Answer with a call of the function {name}." if name else "Answer with a call of one of the functions."


def forcing_changes(forcing: Forcing, leaving: Body, behind: Dialect) -> dict[str, object]:
    """What has to change in the body that leaves."""
    is_messages = behind is Dialect.MESSAGES
    if forcing == "told":
        return {"tool_choice": {"type": "auto"} if is_messages else "auto"}
    if forcing == "only":
        choice: object = {"type": "any"} if is_messages else "required"
        return {"tool_choice": choice, "tools": _only(leaving, chosen_name(leaving.head))}
    return {}


def chosen_name(head: Head) -> str:
    """The tool that a named choice names, empty for none."""
    choice = head.tool_choice
    if not isinstance(choice, dict):
        return ""
    inner = choice.get("function")
    name = choice.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
    return name if isinstance(name, str) else ""


def _word(head: Head) -> Any:
    choice = head.tool_choice
    return choice.get("type") if isinstance(choice, dict) else choice


def _only(leaving: Body, name: str) -> list[Raw]:
    tools = [Raw(raw) for raw in _decode_raws(leaving.members.get("tools", b"[]"))]
    return [tool for tool in tools if _name_of(tool) == name] or tools


def _name_of(tool: Raw) -> str | None:
    said = msgspec.json.decode(tool)
    inner = said.get("function") if isinstance(said, dict) else None
    return (inner if isinstance(inner, dict) else said).get("name") if isinstance(said, dict) else None
