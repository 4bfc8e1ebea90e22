"""The list of turns brought into the shape the target takes."""

from collections.abc import Iterable

from msgspec.structs import replace

from perilune.dialects.form import Dialect, Opaque, Part, Reasoning, Request, Text, ToolCall, ToolResult, Turn
from perilune.dialects.names import MessagesIds, OrdinalIds
from perilune.dialects.target import Target


def with_shaped_turns(request: Request, source: Dialect, target: Target, adjusted: list[str]) -> Request:
    """System texts in place, orphaned results as text, no empty turns, alternating roles where that is demanded."""
    is_crossing = source != target.dialect
    turns = list(request.turns)
    if is_crossing:
        turns = _without_empty(_with_known_results(turns), adjusted)
        keeps_marks = target.dialect is Dialect.MESSAGES
        turns = [_neutral(turn, keeps_marks=keeps_marks) for turn in turns]
        request, turns = _hoisted(request, turns, target.dialect)
    if target.dialect is Dialect.MESSAGES:
        if not target.takes_system_turns:
            turns = fold_system_turns(turns)
        if is_crossing:
            turns = [_results_first(turn) for turn in _merged(turns)]
    elif target.dialect is Dialect.CHAT and is_crossing:
        turns = [_plain(turn) for turn in _results_together(turns)]
    return replace(request, turns=tuple(turns))


def fold_system_turns(turns: list[Turn]) -> list[Turn]:
    """Each system turn as a marked text part: at the end of the user turn before it, else at the start of the one after
    it (behind its tool results), else as a user turn of its own."""
    folded: list[Turn] = []
    waiting: list[Text] = []
    for turn in turns:
        if turn.role == "system":
            marked = Text(system_mark(turn))
            if not waiting and folded and folded[-1].role == "user":
                folded[-1] = replace(folded[-1], parts=(*folded[-1].parts, marked), is_text=False)
            else:
                waiting.append(marked)
            continue
        if waiting and turn.role == "user":
            turn = _with_texts_in_front(turn, waiting)
        elif waiting:
            folded.append(Turn("user", tuple(waiting), index=turn.index))
        waiting = []
        folded.append(turn)
    return [*folded, Turn("user", tuple(waiting))] if waiting else folded


def system_mark(turn: Turn) -> str:
    """The text of a system turn, marked as such for a place among user text."""
    text = "\n\n".join(part.text for part in turn.parts if isinstance(part, Text))
    return f"<system>\n{text}\n</system>"


def with_fitting_ids(request: Request, source: Dialect, target: Target) -> tuple[Request, frozenset[str]]:
    """Call ids as the target takes them, pairs kept; and, for a Messages client, the ids its conversation has used."""
    used = frozenset(_used_ids(request.turns)) if source is Dialect.MESSAGES else frozenset()
    if source == target.dialect:
        return request, used
    if target.dialect is Dialect.MESSAGES:
        return replace(request, turns=tuple(_renumbered(request.turns, MessagesIds()))), used
    if target.renumbers_calls and target.dialect is Dialect.CHAT:
        return replace(request, turns=tuple(_renumbered(request.turns, OrdinalIds()))), used
    return request, used


def _used_ids(turns: Iterable[Turn]) -> Iterable[str]:
    return (part.id for turn in turns for part in turn.parts if isinstance(part, ToolCall))


def _renumbered(turns: Iterable[Turn], ids: MessagesIds | OrdinalIds) -> Iterable[Turn]:
    def part(old: Part) -> Part:
        if isinstance(old, ToolCall):
            new = ids.of_call(old.id) if isinstance(ids, MessagesIds) else ids.of_call(old.id, old.name)
            return replace(old, id=new)
        return replace(old, id=ids.of_result(old.id)) if isinstance(old, ToolResult) else old

    for turn in turns:
        yield replace(turn, parts=tuple(part(one) for one in turn.parts)) if turn.role != "system" else turn


def _with_known_results(turns: list[Turn]) -> list[Turn]:
    """A result whose call is not in the conversation becomes text, because every upstream refuses it otherwise."""
    known: set[str] = set()
    shaped: list[Turn] = []
    for turn in turns:
        parts: list[Part] = []
        for part in turn.parts:
            if isinstance(part, ToolCall):
                known.add(part.id)
            if isinstance(part, ToolResult) and part.id not in known:
                parts += (Text(f"Result of tool call {part.id}, which is not in this conversation:"), *part.parts)
            else:
                parts.append(part)
        shaped.append(turn if len(parts) == len(turn.parts) else replace(turn, parts=tuple(parts), is_text=False))
    return shaped


def _without_empty(turns: list[Turn], adjusted: list[str]) -> list[Turn]:
    kept = [turn for turn in turns if turn.parts or turn.role == "user"]
    adjusted += [f"messages[{turn.index}]" for turn in turns if not turn.parts and turn.role == "assistant"]
    return kept


def _hoisted(request: Request, turns: list[Turn], target: Dialect) -> tuple[Request, list[Turn]]:
    """System turns at the front move to the target's own place: all of them in Messages, the first in Responses."""
    if target is Dialect.CHAT:
        return request, turns
    most = len(turns) if target is Dialect.MESSAGES else 0 if request.system else 1
    system = list(request.system)
    while turns and turns[0].role == "system" and most > 0:
        system += [part for part in turns[0].parts if isinstance(part, Text)]
        turns, most = turns[1:], most - 1
    return replace(request, system=tuple(system), system_is_text=len(system) == 1 and not system[0].marks), turns


def _neutral(turn: Turn, *, keeps_marks: bool) -> Turn:
    """The turn without what only its own dialect knows: the role's other name, marks for a cache."""
    is_marked = not keeps_marks and any(getattr(part, "marks", b"") for part in turn.parts)
    parts = tuple(_unmarked(part) for part in turn.parts) if is_marked else turn.parts
    return replace(turn, parts=parts, said_role="") if is_marked or turn.said_role else turn


def _unmarked(part: Part) -> Part:
    return part if isinstance(part, (Reasoning, Opaque)) else replace(part, marks=b"")


def _merged(turns: list[Turn]) -> list[Turn]:
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role and turn.role != "system":
            last = merged.pop()
            turn = replace(last, parts=last.parts + turn.parts, is_text=False, is_partial=turn.is_partial)
        merged.append(turn)
    return merged


def _results_first(turn: Turn) -> Turn:
    results = tuple(part for part in turn.parts if isinstance(part, ToolResult))
    if turn.role != "user" or not results or turn.parts[: len(results)] == results:
        return turn
    return replace(turn, parts=results + tuple(part for part in turn.parts if not isinstance(part, ToolResult)))


def _results_together(turns: list[Turn]) -> list[Turn]:
    """Results of one round in one turn, so that their pictures follow behind all of them."""
    together: list[Turn] = []
    for turn in turns:
        if together and _is_results(together[-1]) and turn.role == "user" and _is_results(turn):
            turn = replace(together[-1], parts=together.pop().parts + turn.parts)
        together.append(turn)
    return together


def _is_results(turn: Turn) -> bool:
    return bool(turn.parts) and all(isinstance(part, ToolResult) for part in turn.parts)


def _plain(turn: Turn) -> Turn:
    """One text alone goes as a string, which every Chat upstream takes."""
    texts = [part for part in turn.parts if isinstance(part, Text)]
    return replace(turn, is_text=True) if len(texts) == 1 and not texts[0].marks else turn


def _with_texts_in_front(turn: Turn, texts: list[Text]) -> Turn:
    results = tuple(part for part in turn.parts if isinstance(part, ToolResult))
    others = tuple(part for part in turn.parts if not isinstance(part, ToolResult))
    return replace(turn, parts=(*results, *texts, *others), is_text=False)
