"""Models as vendors list them: what readings keep and what the catalogue's rows are completed with."""

from typing import Literal

from msgspec import Struct

Thinking = Literal["none", "both", "only"]


class LiveModel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a vendor's own model list says about one model; None is not said. Units: `context` tokens."""

    id: str
    context: int | None = None
    thinking: Thinking | None = None
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    supports_reasoning: bool | None = None
    supports_image: bool | None = None
    supports_video: bool | None = None
    supports_tools: bool | None = None
    title: str | None = None
