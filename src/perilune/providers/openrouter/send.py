"""How a request leaves for OpenRouter: in Chat, with thinking in its own `reasoning` field."""

from typing import Any

from perilune.dialects.splice import REMOVE
from perilune.dialects.thinking import Thinking
from perilune.providers.contract.parameters import shape_by_traits
from perilune.providers.contract.send import (
    Asked,
    Shaped,
    auth_header,
    choose_surface,
    client_headers,
    refuse_before,
    ways,
)

__all__ = ["auth_header", "choose_surface", "client_headers", "refuse_before", "shape", "ways"]

_REASONING: dict[Thinking, dict[str, Any]] = {
    "off": {"enabled": False},
    "on": {"enabled": True},
    "low": {"effort": "low"},
    "medium": {"effort": "medium"},
    "high": {"effort": "high"},
    "max": {"effort": "high"},
}


def shape(asked: Asked) -> Shaped:
    """The traits' rules with thinking as `reasoning`; a model without traits keeps what the client said."""
    shaped = shape_by_traits(asked)
    if asked.traits is None or asked.thinking is None or asked.traits.thinking == "none":
        return shaped
    changes = {name: value for name, value in shaped.changes.items() if name not in ("thinking", "reasoning_effort")}
    for name in ("thinking", "reasoning_effort"):
        if getattr(asked.head, name) is not None:
            changes[name] = REMOVE
    changes["reasoning"] = _REASONING[asked.thinking]
    return Shaped(changes, shaped.adjusted)
