"""The head of a request body: everything the gateway decides by, read without touching the messages."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from perilune.core.errors import RequestError
from perilune.dialects.splice import Place, members_of, places_of, splice


class Head(Struct, frozen=True, gc=False):
    """The small top-level fields of a body of any dialect; what is absent is None.

    Shape: fields whose form the vendors disagree on are plain decoded JSON.
    """

    model: str = ""
    stream: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None
    n: Any = None
    temperature: Any = None
    top_p: Any = None
    top_k: Any = None
    presence_penalty: Any = None
    frequency_penalty: Any = None
    thinking: Any = None
    reasoning_effort: Any = None
    reasoning: Any = None
    output_config: Any = None
    context_management: Any = None
    tool_choice: Any = None
    response_format: Any = None
    text: Any = None
    parallel_tool_calls: Any = None
    stream_options: Any = None
    include: Any = None
    metadata: Any = None
    prompt_cache_key: Any = None
    safety_identifier: Any = None
    user: Any = None
    previous_response_id: Any = None
    conversation: Any = None
    store: Any = None
    service_tier: Any = None
    seed: Any = None
    logit_bias: Any = None
    client_metadata: Any = None

    @property
    def max_output(self) -> int | None:
        """The asked-for output limit under whichever name it came."""
        for limit in (self.max_completion_tokens, self.max_output_tokens, self.max_tokens):
            if limit is not None:
                return limit
        return None

    @property
    def include_usage(self) -> bool:
        """True when a Chat client asked for the usage chunk."""
        return isinstance(self.stream_options, dict) and self.stream_options.get("include_usage") is True

    @property
    def end_user(self) -> str:
        """Who asks, in the client's words: `safety_identifier`, else `user`, else `metadata.user_id`."""
        meta = self.metadata.get("user_id") if isinstance(self.metadata, dict) else None
        return next((value for value in (self.safety_identifier, self.user, meta) if isinstance(value, str)), "")


class _ToolHead(Struct, gc=False):
    type: str | None = None
    name: str | None = None
    function: "_ToolHead | None" = None
    tools: "list[_ToolHead] | None" = None


_decode_head = msgspec.json.Decoder(Head).decode
_decode_tools = msgspec.json.Decoder(list[_ToolHead] | None).decode
_FIELDS = {name: f'"{name}":'.encode() for name in Head.__struct_fields__}


class Body:
    """A request body read as far as its head. The bytes stay as they came."""

    __slots__ = ("bytes", "head", "members", "places")

    def __init__(self, body: bytes) -> None:
        """Read the head.

        Raises: RequestError PL-BODY-INVALID (no JSON object, too deep, a top-level key twice, a head of wrong types).
        """
        self.bytes = body
        self.members = members_of(body)
        self.places: list[Place] = places_of(body, self.members)
        self.head = read_head(self.members)

    def spliced(self, replacements: Mapping[str, object]) -> bytes:
        """The body with top-level keys replaced, inserted or, for REMOVE, taken out."""
        return splice(self.bytes, replacements, places=self.places)

    def tool_names(self) -> list[str]:
        """The names of all function tools, those of a namespace as `namespace__name`."""
        return _tool_names(self.members)


def read_head(members: Mapping[str, Raw]) -> Head:
    """The head out of the top-level members.

    Raises: RequestError PL-BODY-INVALID when `model`, `stream` or a limit is of another type.
    """
    pieces = [b"".join((_FIELDS[key], raw)) for key, raw in members.items() if key in _FIELDS]
    try:
        return _decode_head(b"{" + b",".join(pieces) + b"}")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RequestError.of("PL-BODY-INVALID", variant="shape", detail=_detail_of(error)) from None


def _detail_of(error: Exception) -> str:
    return str(error)[:120] if isinstance(error, msgspec.MsgspecError) else "JSON is UTF-8, this is not"


def _tool_names(members: Mapping[str, Raw]) -> list[str]:
    raw = members.get("tools")
    try:
        tools = _decode_tools(raw) if raw is not None else None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RequestError.of("PL-BODY-INVALID", variant="shape", detail=_detail_of(error)) from None
    names: list[str] = []
    for tool in tools or ():
        if tool.type == "namespace":
            names += [f"{tool.name}__{inner.name}" for inner in tool.tools or () if inner.name]
        elif tool.function is not None and tool.function.name:
            names.append(tool.function.name)
        elif tool.name:
            names.append(tool.name)
    return names
