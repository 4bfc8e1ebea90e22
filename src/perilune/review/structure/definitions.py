"""What a file defines and calls: by its grammar where there is one, else by the shape of its lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from perilune.patches.symbols import Symbol, definition_name, enclosing_symbol, symbol_end
from perilune.review.structure.grammar import parsed
from perilune.review.structure.languages import Language, language_of

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_CALL = re.compile(r"(?<![\w$])([A-Za-z_$][\w$]*)\s*\(")
_NOT_A_CALL = frozenset(
    re.findall(r"\w+", "if for while switch catch return elif match case with assert await and or not in def")
)
_CALLEE = ("method", "name", "function", "constructor", "type")
_NAMES = ("identifier", "simple_identifier", "type_identifier", "constant", "name", "word", "field_identifier")
_ELIXIR = frozenset({"def", "defp", "defmacro", "defmodule", "defprotocol"})
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "generator_function", "class"})
_DEEPEST = 6


class Called(Struct, frozen=True):
    """One call: the name called and the line (from 1). `is_bare`: nothing stands before the name."""

    name: str
    line: int
    is_bare: bool


def definitions(path: str, lines: Sequence[str]) -> list[Symbol]:
    """Every definition of a file in the order of its lines."""
    root, language = parsed(path, "\n".join(lines)), language_of(path)
    if root is None or language is None or not (language.definitions or language.name == "elixir"):
        return _by_shape(lines)
    return sorted(_by_grammar(root, language), key=lambda symbol: (symbol.start, -symbol.end))


def _by_shape(lines: Sequence[str]) -> list[Symbol]:
    named = ((number, definition_name(line)) for number, line in enumerate(lines, 1))
    return [Symbol(name, number, symbol_end(lines, number)) for number, name in named if name is not None]


def _by_grammar(root: SgNode, language: Language) -> Iterator[Symbol]:
    if language.name == "elixir":
        yield from _of_elixir(root)
        return
    for node in _nodes(root, language.definitions):
        if node.kind() == "variable_declarator" and not _holds_function(node):
            continue
        name = _name_of(node)
        if name is not None:
            yield _symbol(name, node)


def _nodes(root: SgNode, kinds: Sequence[str]) -> list[SgNode]:
    return root.find_all({"rule": {"any": [{"kind": kind} for kind in kinds]}}) if kinds else []


def _symbol(name: str, node: SgNode) -> Symbol:
    span = node.range()
    end = span.end.line + (1 if span.end.column else 0)
    return Symbol(name, span.start.line + 1, max(end, span.start.line + 1))


def _holds_function(node: SgNode) -> bool:
    value = node.field("value")
    return value is not None and value.kind() in _FUNCTIONS


def _name_of(node: SgNode, depth: int = 0) -> str | None:
    """The last word of the node's name, looked for where the grammar keeps it."""
    found = node.field("name") or node.field("declarator") or (node.field("type") if depth == 0 else None)
    if found is None:
        found = next((child for child in node.children() if child.kind() in _NAMES), None)
    if found is None:
        found = next((child for child in node.children() if child.kind().endswith("signature")), None)
    if found is None or depth > _DEEPEST:
        return None
    if found.field("declarator") is not None or found.kind().endswith("signature"):
        return _name_of(found, depth + 1)
    words = _WORD.findall(found.text().partition("(")[0])
    return words[-1] if words else None


def _of_elixir(root: SgNode) -> Iterator[Symbol]:
    for node in root.find_all(kind="call"):
        words = _WORD.findall(node.text()[:200])
        if len(words) > 1 and words[0] in _ELIXIR:
            yield _symbol(words[1], node)


def around(path: str, lines: Sequence[str], number: int, known: Sequence[Symbol] | None = None) -> Symbol | None:
    """The innermost definition that holds a line, by the grammar, else by indentation. `known` are the file's."""
    if language_of(path) is None:
        return enclosing_symbol(lines, number)
    found = definitions(path, lines) if known is None else known
    holding = [symbol for symbol in found if symbol.start <= number <= symbol.end]
    return min(holding, key=lambda symbol: symbol.end - symbol.start, default=None)


def calls(path: str, lines: Sequence[str], numbers: Collection[int]) -> list[Called]:
    """What is called on some lines of a file, in their order."""
    root, language = parsed(path, "\n".join(lines)), language_of(path)
    if root is None or language is None or not language.calls:
        return _calls_by_shape(lines, numbers)
    found = [call for node in _nodes(root, language.calls) if (call := _called(node)) and call.line in numbers]
    return sorted(found, key=lambda call: call.line)


def _called(node: SgNode) -> Called | None:
    callee = next((field for name in _CALLEE if (field := node.field(name)) is not None), None) or node.child(0)
    if callee is None:
        return None
    text = re.sub(r"<[^<>()]*>", "", callee.text())
    words = _WORD.findall(text)
    if not words:
        return None
    is_bare = text.strip() == words[-1] and node.field("object") is None and node.field("receiver") is None
    return Called(words[-1], callee.range().end.line + 1, is_bare)


def _calls_by_shape(lines: Sequence[str], numbers: Collection[int]) -> list[Called]:
    return [
        Called(match[1], number, not lines[number - 1][: match.start()].rstrip().endswith((".", ">", ":")))
        for number in sorted(numbers)
        if 1 <= number <= len(lines)
        for match in _CALL.finditer(lines[number - 1][:1000])
        if match[1] not in _NOT_A_CALL
    ]
