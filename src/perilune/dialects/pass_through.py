"""A request to an upstream of its own dialect: the bytes stay, but for the turns that the upstream would refuse."""

import re
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from perilune.dialects import chat, messages
from perilune.dialects.fields import checked, decode_raws
from perilune.dialects.form import Dialect, Reasoning, Turn
from perilune.dialects.head import Body
from perilune.dialects.names import rename_functions
from perilune.dialects.refuse import refuse_always, refuse_stored
from perilune.dialects.splice import splice
from perilune.dialects.target import Context, Hooks, Target
from perilune.dialects.thoughts import with_thoughts
from perilune.dialects.translate import parse_request, prepare_request
from perilune.dialects.turns import fold_system_turns

_SYSTEM_ROLE = re.compile(rb'"role"[ \t\n\r]*:[ \t\n\r]*"system"')
_IMAGE_KEYS = {Dialect.CHAT: b'"image_url"', Dialect.RESPONSES: b'"input_image"', Dialect.MESSAGES: b'"image"'}


class Passed(Struct, frozen=True, kw_only=True):
    """A body that may leave. `context` is set when the answer must be translated back (names were changed)."""

    body: bytes
    adjusted: tuple[str, ...] = ()
    context: Context | None = None


def pass_through(dialect: Dialect, body: Body, target: Target, hooks: Hooks | None = None) -> Passed:
    """The body with the target's own fields, and only the changes without which the upstream would refuse it.

    Raises: RequestError PL-UNSUPPORTED for a picture by address, too many tools or a stored response; PL-BODY-INVALID.
    """
    hooks = hooks or Hooks()
    refuse_stored(body.head.previous_response_id, body.head.conversation)
    if _needs_rewriting(dialect, body, target):
        translated = prepare_request(dialect, target, parse_request(dialect, body.bytes), hooks)
        return Passed(body=translated.body, adjusted=translated.adjusted, context=translated.context)
    if not target.takes_image_urls and _IMAGE_KEYS[dialect] in body.bytes:
        refuse_always(parse_request(dialect, body.bytes), target)
    changes: dict[str, object] = dict(target.fields)
    adjusted: list[str] = []
    if target.model is not None and target.model != body.head.model:
        changes["model"] = target.model
    if dialect is Dialect.RESPONSES and body.head.store is not False:
        changes.setdefault("store", False)
    turns = _repaired(dialect, body, target, hooks, adjusted)
    if turns is not None:
        changes["messages"] = turns
    return Passed(body=body.spliced(changes), adjusted=tuple(dict.fromkeys(adjusted)))


def _needs_rewriting(dialect: Dialect, body: Body, target: Target) -> bool:
    if dialect is Dialect.RESPONSES and b'"plr1.' in body.bytes:
        return True
    if target.structured != "native" and _asks_for_format(body.head):
        return True
    if target.function_name is None and target.max_tools is None:
        return False
    names = body.tool_names()
    if target.max_tools is not None and len(names) > target.max_tools:
        return True
    return bool(rename_functions(names, target.function_name))


def _asks_for_format(head: Any) -> bool:
    text = head.text if isinstance(head.text, dict) else {}
    config = head.output_config if isinstance(head.output_config, dict) else {}
    form = head.response_format or text.get("format") or config.get("format")
    return isinstance(form, dict) and form.get("type") != "text"


def _repaired(dialect: Dialect, body: Body, target: Target, hooks: Hooks, adjusted: list[str]) -> list[Raw] | None:
    """The messages with the turns put right that need it, each other one in its own bytes; None when none does."""
    if dialect is Dialect.RESPONSES or "messages" not in body.members:
        return None
    exact = bytes(body.members["messages"])
    folds = dialect is Dialect.MESSAGES and not target.takes_system_turns and bool(_SYSTEM_ROLE.search(exact))
    if not folds and not _may_need_thoughts(dialect, exact, target, hooks):
        return None
    raws = checked(decode_raws, exact, "messages") or []
    before = list(parse_turns(dialect, exact))
    request = replace(_EMPTY, turns=tuple(before))
    after = list(with_thoughts(request, target, hooks, adjusted).turns)
    own = {id(turn): Raw(raw) for turn, raw in zip(before, raws, strict=True)}
    shaped = fold_system_turns(after) if folds else after
    if len(shaped) == len(before) and all(new is old for new, old in zip(shaped, before, strict=True)):
        return None
    return [own.get(id(turn)) or _printed(dialect, turn, raws) for turn in shaped]


def _may_need_thoughts(dialect: Dialect, exact: bytes, target: Target, hooks: Hooks) -> bool:
    if dialect is Dialect.CHAT:
        return (hooks.recall is not None or target.needs_reasoning) and b'"tool_calls"' in exact
    has_calls = b'"tool_use"' in exact and (hooks.recall is not None or target.needs_reasoning)
    return has_calls or b'thinking"' in exact


def parse_turns(dialect: Dialect, exact: bytes) -> tuple[Turn, ...]:
    """The turns of a `messages` array of Chat or Messages."""
    parse = messages.parse_request if dialect is Dialect.MESSAGES else chat.parse_request
    return parse(b'{"messages":' + exact + b"}").turns


def _printed(dialect: Dialect, turn: Turn, raws: list[Raw]) -> Raw:
    """A changed turn. In Chat only its thought can have changed, so that one field is put into its own bytes."""
    if dialect is Dialect.CHAT:
        thought = next((part.text for part in turn.parts if isinstance(part, Reasoning)), " ")
        return Raw(splice(bytes(raws[turn.index]), {"reasoning_content": thought}))
    return Raw(msgspec.json.encode(messages.print_turn(turn)))


_EMPTY = messages.parse_request(b"{}")
