"""What a played model says, and what it counted."""

from typing import Literal

from msgspec import Struct, field


class Call(Struct, frozen=True, kw_only=True):
    """One tool call; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str
    kind: str = "function"


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of one answer. Units: `prompt` includes `cached`; `output` includes `reasoning`."""

    prompt: int
    cached: int = 0
    output: int = 0
    reasoning: int = 0


class Said(Struct, frozen=True, kw_only=True):
    """One answer. Units: `first_content_s`, `gap_s` seconds.

    Shape: texts are already cut into the pieces a stream sends.
    """

    reasoning: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    finish: Literal["stop", "length", "tool_calls"] = "stop"
    usage: Usage
    signature: str = "c2ln"
    first_content_s: float = 0
    gap_s: float = 0

    @property
    def pieces(self) -> int:
        return len(self.reasoning) + len(self.text) + 3 * len(self.calls)
