"""How a request leaves for Moonshot: in the client's own dialect, with the parameters its models take."""

from perilune.dialects.form import Dialect
from perilune.dialects.splice import REMOVE
from perilune.providers.contract.parameters import shape_by_traits
from perilune.providers.contract.send import (
    Asked,
    Shaped,
    Ways,
    auth_header,
    choose_surface,
    client_headers,
    refuse_before,
)

__all__ = ["auth_header", "choose_surface", "client_headers", "refuse_before", "shape", "ways"]

TOKENIZER_PATH = "/tokenizers/estimate-token-count"
_WAYS = Ways(
    family="kimi",
    streams_always=True,
    needs_reasoning=True,
    takes_image_urls=False,
    takes_system_turns=False,
    takes_partial=True,
    names_session=True,
    renumbers_calls=True,
)
_NOT_TAKEN = ("context_management",)


def ways(host: str) -> Ways:
    """One family with the membership plan: reasoning of either is taken by both."""
    return _WAYS


def shape(asked: Asked) -> Shaped:
    """The traits' rules; what the vendor does not know on its Messages surface is taken out."""
    shaped = shape_by_traits(asked)
    if asked.surface is not Dialect.MESSAGES:
        return shaped
    dropped = tuple(name for name in _NOT_TAKEN if getattr(asked.head, name) is not None)
    return Shaped(shaped.changes | dict.fromkeys(dropped, REMOVE), shaped.adjusted + dropped)
