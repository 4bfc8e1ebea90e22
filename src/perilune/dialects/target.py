"""What a translation needs to know about the side it goes to, and what its way back needs to know."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct

from perilune.dialects.form import Dialect, Reasoning
from perilune.dialects.seal import Seal


class Target(Struct, frozen=True, kw_only=True):
    """The upstream as far as a body depends on it.

    Shape: `family` names the makers whose signatures are each other's; `checks_signatures` is Anthropic's own host;
    `needs_reasoning` says that a turn with tool calls must carry its thought; `structured` is the step of the ladder in
    the gateway reference 2.3; `function_name` is a pattern; `notice` is a line to put behind the system texts;
    `session` stands in where the client names none; `fields` are set at the top level last, as they stand.
    """

    dialect: Dialect
    model: str | None = None
    family: str = ""
    checks_signatures: bool = False
    needs_reasoning: bool = False
    takes_image_urls: bool = True
    takes_system_turns: bool = True
    takes_partial: bool = False
    takes_session: bool = True
    renumbers_calls: bool = False
    structured: Literal["native", "json_object", "tool", "prompt"] = "native"
    max_output_default: int = 8192
    function_name: str | None = None
    max_tools: int | None = None
    notice: str = ""
    session: str = ""
    fields: Mapping[str, object] = {}


class TurnKeys(NamedTuple):
    """Under which a turn's thought is kept: the digest of all turns before it, and its own."""

    history: bytes
    turn: bytes


class Hooks(Struct, frozen=True, kw_only=True):
    """What only the caller has: the seal's key, the store of thoughts, and who made a signature."""

    seal: Seal | None = None
    recall: Callable[[TurnKeys], Reasoning | None] | None = None
    family_of: Callable[[str], str | None] | None = None


class Context(Struct, frozen=True, kw_only=True):
    """What the answer's way back needs to know about its request.

    Shape: `names` gives for each name sent the client's own name and its namespace.
    """

    client: Dialect
    upstream: Dialect
    names: Mapping[str, tuple[str, str]] = {}
    used_ids: frozenset[str] = frozenset()
    structured_tool: str = ""
    strips_fences: bool = False
    include_usage: bool = False
    wants_envelope: bool = False
    family: str = ""


class Frame(Struct, frozen=True, kw_only=True):
    """What an answer is stamped with.

    Shape: an empty `id` keeps the upstream's; `model` and `created` stand in where the upstream said none.
    Units: `created` in seconds since 1970.
    """

    id: str = ""
    model: str = ""
    created: int = 0
    seal: Seal | None = None


class Translated(Struct, frozen=True, kw_only=True):
    """A request ready to be sent; `adjusted` names what was changed, for `x-perilune-adjusted`."""

    body: bytes
    adjusted: tuple[str, ...]
    context: Context
