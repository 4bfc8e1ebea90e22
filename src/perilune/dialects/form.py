"""The internal form: what a request and an answer say, whichever dialect they came in.

Tool arguments, schemas and unknown fields stay text (`bytes` of JSON), so that a round trip changes no number, no
escape and no key order.
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from perilune.dialects.usage import Usage


class Dialect(StrEnum):
    """The three languages in which a model is asked."""

    CHAT = "chat"
    RESPONSES = "responses"
    MESSAGES = "messages"


class StopReason(StrEnum):
    """Why an answer ended; the names on the wire are in `stops`."""

    END = "end"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    TOOLS = "tools"
    FILTER = "filter"
    PAUSE = "pause"
    UNKNOWN = "unknown"


class Text(Struct, frozen=True, gc=False):
    """Plain text. `marks` is the JSON of a `cache_control`, empty when there is none."""

    text: str
    marks: bytes = b""


class Image(Struct, frozen=True, gc=False):
    """A picture: base64 `data` with its media type, or a `url` (also `ms://ID`)."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    detail: str = ""
    marks: bytes = b""


class Reasoning(Struct, frozen=True, gc=False):
    """What the model thought.

    Shape: `signature` is None where the source has none; `origin` the family that made it;
    `redacted` a maker's opaque block; `envelope` the `encrypted_content` of a Responses item, `item_id` its id.
    """

    text: str
    signature: str | None = None
    origin: str = ""
    redacted: str = ""
    envelope: str = ""
    item_id: str = ""


class ToolCall(Struct, frozen=True, gc=False):
    """One function call; `arguments` is the text as it came, empty when none came."""

    id: str
    name: str
    arguments: str
    namespace: str = ""
    marks: bytes = b""


class Opaque(Struct, frozen=True, gc=False):
    """A part that only its own dialect knows, as JSON."""

    kind: str
    json: bytes


class ToolResult(Struct, frozen=True):
    """What a call gave back. Shape: `is_text` says that it was a bare string, not a list of parts."""

    id: str
    parts: "tuple[Part, ...]"
    is_error: bool = False
    is_text: bool = False
    marks: bytes = b""


Part = Text | Image | Reasoning | ToolCall | ToolResult | Opaque
Role = Literal["system", "user", "assistant"]


class Turn(Struct, frozen=True):
    """One message. Shape: `index` is its place in the client's list; `is_text` says its content was a bare string."""

    role: Role
    parts: tuple[Part, ...]
    index: int = 0
    is_text: bool = False
    name: str = ""
    is_partial: bool = False
    said_role: str = ""


class Tool(Struct, frozen=True, gc=False):
    """A function the model may call; `schema` is JSON, `namespace` the group it stood in."""

    name: str
    description: str | None = None
    schema: bytes = b""
    strict: bool | None = None
    namespace: str = ""
    marks: bytes = b""


class ToolChoice(Struct, frozen=True, gc=False):
    """Whether and which tool must be called."""

    mode: Literal["auto", "none", "required", "named"]
    name: str = ""


class ResponseFormat(Struct, frozen=True, gc=False):
    """Asked-for shape of the answer's text; `schema` is JSON."""

    kind: Literal["text", "json_object", "json_schema"]
    schema: bytes = b""
    name: str = ""
    strict: bool | None = None
    description: str = ""


class Request(Struct, frozen=True, kw_only=True):
    """One question to a model.

    Shape: `thinking` and `extra` hold the source's own fields as JSON by key (`thinking` those that steer reasoning);
    `sampling` likewise those that steer the draw. They are printed only in the dialect they came from, except the
    sampling fields that both sides know.
    """

    model: str
    system: tuple[Text, ...] = ()
    system_is_text: bool = False
    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool, ...] = ()
    hosted_tools: tuple[Opaque, ...] = ()
    namespaces: tuple[tuple[str, str], ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    max_output: int | None = None
    stop: tuple[str, ...] = ()
    sampling: dict[str, bytes] = {}
    thinking: dict[str, bytes] = {}
    response_format: ResponseFormat | None = None
    end_user: str = ""
    session: str = ""
    metadata: bytes = b""
    stream: bool | None = None
    include_usage: bool = False
    include: tuple[str, ...] = ()
    extra: dict[str, bytes] = {}


class Answer(Struct, frozen=True, kw_only=True):
    """What a model said. `stop_text` is the source's own word for the stop, `created` seconds since 1970."""

    id: str
    model: str
    created: int = 0
    parts: tuple[Part, ...] = ()
    stop: StopReason = StopReason.END
    stop_text: str = ""
    stop_sequence: str | None = None
    usage: Usage | None = None
