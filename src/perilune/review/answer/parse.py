"""Reads a model's answer, free steps first; says what it could not read and never calls that an empty review."""

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from perilune.patches.finding import Candidate
from perilune.review.answer.shapes import Shape, shape_of
from perilune.review.answer.tolerant import DEEPEST, Tolerant, TooDeepError
from perilune.review.answer.validate import candidate_of
from perilune.review.answer.yamlish import Yamlish

_LARGEST = 4 * 1024 * 1024
_MOST_STARTS = 24
_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(r".*</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^\s*(?:```|~~~)[\w+-]*[ \t]*$", re.MULTILINE)


class ParsedAnswer(Struct, frozen=True, kw_only=True):
    """What an answer says. `malformed` counts entries of no use; `is_cut` says that the text ended early."""

    candidates: tuple[Candidate, ...] = ()
    files_reviewed: tuple[str, ...] = ()
    malformed: int = 0
    is_cut: bool = False
    step: str = "strict"


class _Reading(Struct, frozen=True):
    """A document as one step read it."""

    shape: Shape
    step: str
    is_cut: bool = False
    dropped: int = 0


def parse_answer(text: str) -> ParsedAnswer | None:
    """The findings of an answer; None where nothing of our shape could be read."""
    reading = read_document(text, "findings")
    if reading is None:
        return None
    found = [candidate_of(entry) for entry in reading.shape.findings]
    kept = tuple(candidate for candidate in found if candidate is not None)
    return ParsedAnswer(
        candidates=kept,
        files_reviewed=reading.shape.files_reviewed,
        malformed=reading.shape.strangers + len(found) - len(kept) + reading.dropped,
        is_cut=reading.is_cut,
        step=reading.step,
    )


def read_document(text: str, list_key: str) -> _Reading | None:
    """The first reading that gives our shape: strict, without what is around it, repaired, YAML."""
    if len(text) > _LARGEST:
        return None
    bare = without_thoughts(text.removeprefix("\ufeff")).strip()
    for reading in _readings(bare, list_key):
        if reading is not None:
            return reading
    return None


def without_thoughts(text: str) -> str:
    """The text without the model's thinking, closed or only ended."""
    return _THOUGHT_END.sub("", _THINKING.sub("", text))


def _readings(text: str, list_key: str) -> Iterator[_Reading | None]:
    yield _shaped(_strict(text), list_key, "strict")
    # Outer brackets come first, so that a part of a damaged document is not taken for the whole.
    for start in _starts(text):
        yield _shaped(_decoded(text, start), list_key, "extracted")
        yield _repaired(text, start, list_key)
    yield _yaml(text, list_key)


def _strict(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _starts(text: str) -> list[int]:
    """Where a document may begin."""
    return [match.start() for match in re.finditer(r"[{\[]", text)][:_MOST_STARTS]


def _decoded(text: str, start: int) -> Any:
    try:
        return json.JSONDecoder().raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        return None


def _repaired(text: str, start: int, list_key: str) -> _Reading | None:
    reader = Tolerant(_without_fence_end(text), start)
    try:
        document = reader.value()
    except TooDeepError:
        return None
    shape = _shape(document, list_key)
    if shape is None and reader.is_cut and isinstance(document, dict) and list_key in document:
        shape = Shape(())
    return None if shape is None else _Reading(shape, "repaired", reader.is_cut, reader.dropped)


def _without_fence_end(text: str) -> str:
    return re.sub(r"\n\s*(?:```|~~~)\s*$", "\n", text)


def _yaml(text: str, list_key: str) -> _Reading | None:
    parts = _FENCE.split(text)
    for part in (*parts[1:2], text):
        try:
            document = Yamlish(part.strip("\n")).document()
        except TooDeepError:
            continue
        reading = _shaped(document, list_key, "yaml")
        if reading is not None:
            return reading
    return None


def _shaped(document: Any, list_key: str, step: str) -> _Reading | None:
    shape = _shape(document, list_key)
    return None if shape is None else _Reading(shape, step)


def _shape(document: Any, list_key: str) -> Shape | None:
    if not isinstance(document, (dict, list)) or not _is_shallow(document):
        return None
    return shape_of(document, list_key)


def _is_shallow(document: Any) -> bool:
    level: list[Any] = [document]
    for _ in range(DEEPEST + 1):
        level = [child for value in level for child in _children(value)]
        if not level:
            return True
    return False


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, (dict, list))]
    return [child for child in value if isinstance(child, (dict, list))]
