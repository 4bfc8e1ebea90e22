"""The turns of a passed-on body that its upstream would refuse, put right; every other one in its own bytes."""

import re

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from perilune.dialects import chat, messages, responses
from perilune.dialects.fields import checked, decode_raws
from perilune.dialects.form import Dialect, Reasoning, Turn
from perilune.dialects.head import Body
from perilune.dialects.splice import splice
from perilune.dialects.target import Hooks, Target
from perilune.dialects.thoughts import with_thoughts
from perilune.dialects.turns import fold_system_turns

_SYSTEM_ROLE = re.compile(rb'"role"[ \t\n\r]*:[ \t\n\r]*"system"')


def repaired(dialect: Dialect, body: Body, target: Target, hooks: Hooks, adjusted: list[str]) -> dict[str, list[Raw]]:
    """The list of turns under its top-level key, where one of them had to be put right; else nothing.

    Raises: RequestError PL-BODY-INVALID.
    """
    key = "input" if dialect is Dialect.RESPONSES else "messages"
    if key not in body.members:
        return {}
    exact = bytes(body.members[key])
    if dialect is Dialect.RESPONSES:
        turns = _items(exact, target, hooks, adjusted)
    else:
        turns = _messages(dialect, exact, target, hooks, adjusted)
    return {} if turns is None else {key: turns}


def _messages(dialect: Dialect, exact: bytes, target: Target, hooks: Hooks, adjusted: list[str]) -> list[Raw] | None:
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


def _items(exact: bytes, target: Target, hooks: Hooks, adjusted: list[str]) -> list[Raw] | None:
    """Of a Responses body. One turn is a row of items, from its own index to that of the next turn."""
    if not (hooks.recall is not None or target.needs_reasoning) or b'"function_call"' not in exact:
        return None
    before = parse_turns(Dialect.RESPONSES, exact)
    after = with_thoughts(replace(_EMPTY, turns=before), target, hooks, adjusted).turns
    if all(new is old for new, old in zip(after, before, strict=True)):
        return None
    raws = checked(decode_raws, exact, "input") or []
    ends = [turn.index for turn in before[1:]] + [len(raws)]
    items: list[Raw] = []
    for old, new, end in zip(before, after, ends, strict=True):
        own = [Raw(raw) for raw in raws[old.index : end]]
        items += own if new is old else _with_thought_items(old, new, own)
    return items


def _with_thought_items(old: Turn, new: Turn, own: list[Raw]) -> list[Raw]:
    """The turn's own items behind the thought that was put in front, else the turn printed anew."""
    if new.parts[1:] == old.parts:
        thought = responses.print_items(replace(new, parts=new.parts[:1]))
        return [*(Raw(msgspec.json.encode(item)) for item in thought), *own]
    return [Raw(msgspec.json.encode(item)) for item in responses.print_items(new)]


def _may_need_thoughts(dialect: Dialect, exact: bytes, target: Target, hooks: Hooks) -> bool:
    if dialect is Dialect.CHAT:
        return (hooks.recall is not None or target.needs_reasoning) and b'"tool_calls"' in exact
    has_calls = b'"tool_use"' in exact and (hooks.recall is not None or target.needs_reasoning)
    return has_calls or b'thinking"' in exact


def parse_turns(dialect: Dialect, exact: bytes) -> tuple[Turn, ...]:
    """The turns of a list of messages, of a Responses body's of items."""
    if dialect is Dialect.RESPONSES:
        return responses.parse_request(b'{"input":' + exact + b"}").turns
    parse = messages.parse_request if dialect is Dialect.MESSAGES else chat.parse_request
    return parse(b'{"messages":' + exact + b"}").turns


def _printed(dialect: Dialect, turn: Turn, raws: list[Raw]) -> Raw:
    """A changed turn. In Chat only its thought can have changed, so that one field is put into its own bytes."""
    if dialect is Dialect.CHAT:
        thought = next((part.text for part in turn.parts if isinstance(part, Reasoning)), " ")
        return Raw(splice(bytes(raws[turn.index]), {"reasoning_content": thought}))
    return Raw(msgspec.json.encode(messages.print_turn(turn)))


_EMPTY = messages.parse_request(b"{}")
