"""Errors on the terminal: what happened, what was tried, why, what to do; at most 8 lines."""

import io
from collections.abc import Iterator

from msgspec import Struct

from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.core.messages.voice import Words
from perilune.core.width import pad, width, wrap
from perilune.faces.cli.output import Output
from perilune.quota.document import ErrorDocument

_LONGEST = 8
_WIDEST = 80
_TEXT_COLUMN = 9


class ErrorReport(Struct, frozen=True, kw_only=True):
    """An error as the one JSON document of a command that could not answer."""

    schema: str = "perilune.error.v1"
    error: ErrorDocument


def error_document(problem: Problem, voice: Voice) -> ErrorReport:
    """The machine form of a problem."""
    words = voice.explain(problem)
    error = ErrorDocument(
        code=words.code,
        message=words.what,
        why=words.why,
        fix=list(words.fix),
        retry_at=problem.retry_at,
        account=problem.account,
    )
    return ErrorReport(error=error)


def problem_lines(problem: Problem, voice: Voice, output: Output, *, label: str = "error") -> list[str]:
    """A problem in the shape of all our errors. What does not fit in 8 lines goes from the bottom up."""
    return _lines(voice.explain(problem), problem.tried, voice, output, label)


def plain_problem_lines(problem: Problem, voice: Voice) -> list[str]:
    """A problem in that shape for whoever reads plain text of 80 columns."""
    return problem_lines(problem, voice, Output(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), {}))


def error_lines(error: ErrorDocument, voice: Voice, output: Output) -> list[str]:
    """An error of a document in the same shape."""
    return _lines(Words(error.code, error.message, error.why, tuple(error.fix), None), (), voice, output, "error")


def _lines(words: Words, tried: tuple[str, ...], voice: Voice, output: Output, label: str) -> list[str]:
    columns = min(output.columns, _WIDEST)
    words = _shown(words, output)
    head = _head(words, voice, columns, label, output)
    parts = _parts(tried, words, voice, columns)
    while len(head) + sum(map(len, parts)) > _LONGEST and len(parts) > 1:
        parts.pop()
    return [*head, *(line for part in parts for line in part)][:_LONGEST]


def _shown(words: Words, output: Output) -> Words:
    """The words as this stream writes them, before they are measured: ASCII is wider."""
    why, note = (None if text is None else output.shown(text) for text in (words.why, words.note))
    return Words(words.code, output.shown(words.what), why, tuple(map(output.shown, words.fix)), note)


def _head(words: Words, voice: Voice, columns: int, label: str, output: Output) -> list[str]:
    start = f"{voice.say(f'common.{label}')}[{words.code}]:"
    first, *more = wrap(f"{start} {words.what}", columns, hanging=_TEXT_COLUMN)
    painted = output.paint(start, "error" if label == "error" else "high") + first.removeprefix(start)
    return [painted, *(" " * _TEXT_COLUMN + line for line in more)]


def _parts(tried: tuple[str, ...], words: Words, voice: Voice, columns: int) -> list[list[str]]:
    room = columns - _TEXT_COLUMN
    parts = [_labelled(voice.say("common.tried"), list(_packed(tried, room)))] if tried else []
    if words.why:
        parts.append(_labelled(voice.say("common.why"), wrap(words.why, room, cuts=True)))
    for number, fix in enumerate(words.fix, start=1):
        label = voice.say("common.fix") if number == 1 else ""
        parts.append(_labelled(label, wrap(f"{number}. {fix}", room)))
    if words.note:
        parts.append(_labelled(voice.say("common.note"), wrap(words.note, room)))
    return parts


def _labelled(label: str, lines: list[str]) -> list[str]:
    first, *rest = lines
    return [f"  {pad(label, _TEXT_COLUMN - 2)}{first}", *(" " * _TEXT_COLUMN + line for line in rest)]


def _packed(items: tuple[str, ...], columns: int) -> Iterator[str]:
    """Evidence side by side, broken between items only."""
    line = ""
    for item in items:
        longer = f"{line} · {item}" if line else item
        if line and width(longer) > columns:
            yield line
            line = item
        else:
            line = longer
    yield line
