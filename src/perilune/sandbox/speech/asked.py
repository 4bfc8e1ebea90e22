"""A request to a model, read from any dialect into one form."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

Surface = Literal["chat", "messages", "responses"]
Choice = Literal["auto", "none", "required", "specified"]


class Tool(Struct, frozen=True):
    """One offered tool. `kind` is `function` or the vendor's `builtin_function`."""

    name: str
    kind: str
    schema: Mapping[str, Any]


class Turn(Struct, frozen=True, kw_only=True):
    """One message of the conversation: who, what text, which tool calls or which tool's result."""

    role: str
    text: str = ""
    last_part: str = ""
    images: int = 0
    calls: tuple[str, ...] = ()
    call_ids: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    reasoning: str | None = None
    size: int = 0


class Asked(Struct, frozen=True, kw_only=True):
    """Everything a vendor looks at in a request. `body` is the decoded JSON as it came."""

    surface: Surface
    body: dict[str, Any]
    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    is_stream: bool = False
    cap: int | None = None
    thinking: Literal["enabled", "disabled"] | None = None
    effort: object = None
    choice: Choice = "auto"
    structured: Literal["json_object", "json_schema"] | None = None
    wants_usage: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The last part of the last user turn: what a script's lines are matched against first."""
        return next((turn.last_part for turn in reversed(self.turns) if turn.role == "user" and turn.last_part), "")

    @property
    def text(self) -> str:
        return "\n".join(turn.text for turn in self.turns)

    @property
    def size(self) -> int:
        """Bytes of text of all messages."""
        return sum(len(turn.text.encode()) for turn in self.turns)

    @property
    def prefix(self) -> bytes:
        """The conversation as the vendor's cache sees it: tools first, then turn by turn."""
        tools = msgspec.json.encode([(tool.name, tool.schema) for tool in self.tools])
        turns = [msgspec.json.encode((t.role, t.text, t.reasoning, t.calls, t.answers)) for t in self.turns]
        return b"\n".join([tools, *turns])

    @property
    def prompt_tokens(self) -> int:
        images = sum(turn.images for turn in self.turns)
        return estimate(self.prefix) + 1_024 * images

    @property
    def calls_so_far(self) -> int:
        return sum(len(turn.calls) for turn in self.turns)

    @property
    def has_fresh_result(self) -> bool:
        """Whether the conversation ends with a tool's result."""
        return bool(self.turns) and bool(self.turns[-1].answers)


def estimate(text: bytes | str) -> int:
    """Tokens of a text by its bytes, four to a token, rounded up."""
    size = len(text.encode()) if isinstance(text, str) else len(text)
    return -(-size // 4)
