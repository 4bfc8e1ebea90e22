"""One member of the outermost object of a JSON file, comments allowed: the rest keeps its order and its formatting."""

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from perilune.faces.install.edits import Unfit, newline_of

_SKIP = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}/]+")
_COMMENT_OR_STRING = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)


class _Member(Struct, frozen=True):
    key: str
    start: int
    value_start: int
    value_end: int


class JsonMember(Struct, frozen=True, kw_only=True):
    """`"key": value`; `value` is what stands in the file as JSON."""

    key: str
    value: Any

    def put(self, text: str) -> tuple[str, str | None]:
        if not text.strip():
            return f"{{\n  {self._member('  ')}\n}}\n", None
        opening, members = _outermost(text)
        own = next((member for member in members if member.key == self.key), None)
        if own is None:
            return self._inserted(text, opening, members), None
        value = text[own.value_start : own.value_end]
        if _parsed(value) == self.value:
            return text, None
        indent = _indent_of(text, own.start)
        return text[: own.value_start] + self._value(indent) + text[own.value_end :], value

    def take(self, text: str, before: str | None) -> str | None:
        try:
            _, members = _outermost(text)
        except Unfit:
            return None
        index = next((number for number, member in enumerate(members) if member.key == self.key), None)
        if index is None or _parsed(text[members[index].value_start : members[index].value_end]) != self.value:
            return None
        own = members[index]
        if before is not None:
            return text[: own.value_start] + before + text[own.value_end :]
        comma = _comma_behind(text, own.value_end)
        if comma is not None:
            start = text.rfind("\n", 0, own.start) if "\n" in text[: own.start] else own.start
            is_alone = not text[start : own.start].strip()
            return text[: start if is_alone else own.start] + text[comma + 1 :]
        start = members[index - 1].value_end if index else text.rfind("{", 0, own.start) + 1
        return text[:start] + text[own.value_end :]

    def _inserted(self, text: str, opening: int, members: list[_Member]) -> str:
        """Behind the last member, so that what was first stays first."""
        end = newline_of(text)
        if not members:
            return f"{text[: opening + 1]}{end}  {self._member('  ')}{end}{text[opening + 1 :].lstrip()}"
        last = members[-1]
        indent = _indent_of(text, last.start)
        behind = _comma_behind(text, last.value_end)
        at = last.value_end if behind is None else behind + 1
        comma = "," if behind is None else ""
        is_one_line = "\n" not in text[opening : last.start]
        gap = " " if is_one_line else f"{end}{indent}"
        return f"{text[:at]}{comma}{gap}{self._member(indent)}{',' if behind is not None else ''}{text[at:]}"

    def _member(self, indent: str) -> str:
        return f"{json.dumps(self.key)}: {self._value(indent)}"

    def _value(self, indent: str) -> str:
        told = json.dumps(self.value, indent=len(indent) or 2, ensure_ascii=False)
        return told.replace("\n", f"\n{indent}")


def _outermost(text: str) -> tuple[int, list[_Member]]:
    """Where the outermost object opens, and its members in order."""
    _parsed(text)
    opening = _skip(text, 0)
    if text[opening : opening + 1] != "{":
        raise Unfit("not an object")
    return opening, list(_members(text, opening + 1))


def _members(text: str, at: int) -> Iterator[_Member]:
    while True:
        at = _skip(text, at)
        if text[at] == "}":
            return
        if text[at] == ",":
            at += 1
            continue
        end = _value_end(text, at)
        value_start = _skip(text, _skip(text, end) + 1)
        value_end = _value_end(text, value_start)
        yield _Member(json.loads(text[at:end]), at, value_start, value_end)
        at = value_end


def _value_end(text: str, at: int) -> int:
    if text[at] not in "{[":
        match = _STRING.match(text, at) or _SCALAR.match(text, at)
        if match is None:
            raise Unfit("not a value")
        return match.end()
    depth = 0
    while True:
        at = _skip(text, at)
        if text[at] == '"':
            at = _value_end(text, at)
            continue
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at


def _parsed(text: str) -> Any:
    bare = _COMMENT_OR_STRING.sub(lambda match: match[1] or " ", text)
    bare = _TRAILING_COMMA.sub(lambda match: match[1] or "", bare)
    try:
        return json.loads(bare)
    except (ValueError, RecursionError) as error:
        raise Unfit(str(error)) from None


def _skip(text: str, at: int) -> int:
    match = _SKIP.match(text, at)
    return match.end() if match else at


def _comma_behind(text: str, at: int) -> int | None:
    place = _skip(text, at)
    return place if text[place : place + 1] == "," else None


def _indent_of(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line if not line.strip() else "  "
