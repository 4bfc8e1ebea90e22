"""Which symbol a line stands in, told from indentation and the shape of definition lines."""

import re
from collections.abc import Sequence

from msgspec import Struct

_KEYWORD = re.compile(
    r"^\s*(?:[\w@]+\s+){0,6}?(?:class|interface|struct|enum|trait|impl|module|namespace|object|record|protocol|extension"
    r"|def|func|fn|function|fun|sub|proc)\b\*?\s+(?:\([^()]*\)\s*)?([\w$]+(?:(?:::|\.)[\w$]+)*)",
)
_ASSIGNED = re.compile(
    r"^\s*(?:export\s+)?(?:const|let|var)\s+([\w$]+)\s*(?::[^=]+)?=\s*(?:async\s*)?(?:function\b|\(|[\w$]+\s*=>)"
)
_METHOD = re.compile(r"^\s*(?:[\w<>\[\],:&*?@.]+\s+){0,8}[*&]?([~\w$]+)\s*\([^;=]*\)?[^;=(){}]*\{\s*$")
_NOT_A_NAME = frozenset(
    re.findall(
        r"\w+", "if for while switch catch return else elif match case do try with assert await yield not and or in new"
    ),
)
_LONGEST_LINE = 300
_TAB = 8


class Symbol(Struct, frozen=True):
    """A definition: qualified name, first and last line (from 1, inclusive)."""

    name: str
    start: int
    end: int


def definition_name(text: str) -> str | None:
    """The name that a line defines, or None."""
    if len(text) > _LONGEST_LINE:
        return None
    for pattern in (_KEYWORD, _ASSIGNED, _METHOD):
        match = pattern.match(text)
        if match and match[1] not in _NOT_A_NAME:
            return match[1]
    return None


def indent_of(text: str) -> int | None:
    """The width of a line's indent, tabs as 8; None for a blank line."""
    bare = text.lstrip(" \t")
    if not bare.strip():
        return None
    return len(text[: len(text) - len(bare)].expandtabs(_TAB))


def enclosing_symbol(lines: Sequence[str], number: int) -> Symbol | None:
    """The innermost definition that holds line `number`, named with those around it; None at the top level."""
    headers = _headers_above(lines, number)
    if not headers:
        return None
    name = ".".join(header_name for _, header_name in reversed(headers))
    start = headers[0][0]
    return Symbol(name, start, symbol_end(lines, start))


def _headers_above(lines: Sequence[str], number: int) -> list[tuple[int, str]]:
    """Definitions around a line, innermost first, as line number and name."""
    if not 1 <= number <= len(lines):
        return []
    headers: list[tuple[int, str]] = []
    limit = _indent_near(lines, number) + 1
    for at in range(number, 0, -1):
        text = lines[at - 1]
        indent = indent_of(text)
        if indent is None or indent >= limit or text.strip()[0] in "})]":
            continue
        limit = indent
        name = definition_name(text)
        if name is not None:
            headers.append((at, name))
        if limit == 0:
            break
    return headers


def _indent_near(lines: Sequence[str], number: int) -> int:
    for at in range(number, min(number + 20, len(lines) + 1)):
        indent = indent_of(lines[at - 1])
        if indent is not None:
            return indent
    return 0


def symbol_end(lines: Sequence[str], start: int) -> int:
    """The last line of the definition that begins at `start`: deeper lines, and a closing bracket at its own depth."""
    own = indent_of(lines[start - 1]) or 0
    end = start
    for at in range(start + 1, len(lines) + 1):
        indent = indent_of(lines[at - 1])
        if indent is None:
            continue
        if indent <= own:
            return at if indent == own and lines[at - 1].strip()[0] in "})]" else end
        end = at
    return end
