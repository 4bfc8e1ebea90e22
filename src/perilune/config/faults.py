"""What is wrong with a configuration, put as problems with file and line."""

import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, get_args

import msgspec

from perilune.config.layout import KeyPath, Layout, scan
from perilune.config.schema import Config
from perilune.core.decoding import converted
from perilune.core.errors import Problem
from perilune.core.nearest import nearest

_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"unknown field `(.+?)`")
_MISSING = re.compile(r"missing required field `(.+?)`")
_EXPECTED = re.compile(r"Expected `([a-z]+)[^`]*`(?: of length)?(?: ([<>]=? \S+))?")
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_INSIDE_STRING = ("Unterminated string", r"Illegal character '\n'")
_MOST = 20


def syntax_problem(error: tomllib.TOMLDecodeError, text: str, file_name: str) -> Problem:
    """What tomllib could not read, as PL-CONFIG-SYNTAX with line and column."""
    words = str(error)
    found = _POSITION.search(words)
    line, column = (found[1], found[2]) if found and found[1] else _end_of(text)
    message = words[: found.start()] if found else words
    message = "TOML ends inside a string" if message in _INSIDE_STRING else message
    return Problem(code="PL-CONFIG-SYNTAX", facts={"place": f"{file_name}:{line}:{column}", "message": message})


def _end_of(text: str) -> tuple[str, str]:
    lines = text.split("\n")
    return str(len(lines)), str(len(lines[-1]) + 1)


def faults(data: dict[str, Any], text: str, file_name: str) -> list[Problem]:
    """Everything in a parsed file that the schema does not take, in the order it is found."""
    layout = scan(text)
    return list(_faults(deepcopy(data), layout, file_name))


def _faults(data: dict[str, Any], layout: Layout, file_name: str) -> Iterator[Problem]:
    for _ in range(_MOST):
        try:
            converted(data, Config)
        except msgspec.ValidationError as error:
            path, problem = _fault(str(error), data, layout, file_name)
            yield problem
            if not _remove(data, path):
                return
        else:
            return


def _fault(message: str, data: dict[str, Any], layout: Layout, file_name: str) -> tuple[KeyPath, Problem]:
    """One complaint of the schema as a path to take out before looking further, and a problem."""
    parent = _path(message)
    if found := _UNKNOWN.search(message):
        path = (*parent, found[1])
        return path, unknown_key(found[1], names_at(parent), _place(layout, path, file_name))
    if found := _MISSING.search(message):
        facts = {"place": _place(layout, parent, file_name), "key": found[1]}
        return parent, Problem(code="PL-CONFIG-VALUE", variant="missing", facts=facts)
    value, key = _value_at(data, parent), str(next((step for step in reversed(parent) if isinstance(step, str)), ""))
    return parent, value_problem(message, _place(layout, parent, file_name), key, value, type_at(parent))


def unknown_key(key: str, known: list[str], place: str | None = None) -> Problem:
    """PL-CONFIG-KEY with the nearest known key; without a place it is a key that a person has named."""
    close = nearest(key, known)
    variants = ("", "far") if place is not None else ("named", "named_far")
    facts = {"place": place, "key": key, "nearest": close}
    return Problem(code="PL-CONFIG-KEY", variant=variants[0 if close else 1], facts=facts)


def value_problem(message: str, place: str, key: str, value: object, kind: Any) -> Problem:
    """PL-CONFIG-VALUE in words for what was expected."""
    facts: dict[str, object] = {
        "place": place,
        "key": key,
        "value": f"'{value}'" if isinstance(value, str) else toml_word(value),
    }
    expected = _EXPECTED.search(message)
    if expected is None:
        facts["choices"] = ", ".join(map(str, choices_of(kind)))
        return Problem(code="PL-CONFIG-VALUE", variant="choice" if facts["choices"] else "", facts=facts)
    if "of length" in message:
        return Problem(code="PL-CONFIG-VALUE", variant="missing", facts=facts)
    if expected[2]:
        return Problem(code="PL-CONFIG-VALUE", variant="range", facts={**facts, "range": expected[2]})
    return Problem(code="PL-CONFIG-VALUE", variant=expected[1], facts=facts)


def toml_word(value: object) -> str:
    """A value that is not text as it stands in TOML, shortened."""
    text = msgspec.json.encode(value).decode() if isinstance(value, (bool, int, float, list, dict)) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def choices_of(kind: Any) -> list[Any]:
    """The values of a closed set, looked for inside optionals and lists."""
    found: list[Any] = []
    for part in get_args(kind):
        found += choices_of(part) if get_args(part) else [part] if isinstance(part, (str, int)) else []
    return found


def names_at(path: KeyPath) -> list[str]:
    """The keys that the schema knows at a place."""
    kind = _struct_at(path)
    return [field.encode_name for field in msgspec.structs.fields(kind)] if kind else []


def type_at(path: KeyPath) -> Any:
    """The type that the schema wants at a place, None where it knows none."""
    kind: Any = Config
    for step in path:
        if isinstance(step, str) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            kind = next((field.type for field in msgspec.structs.fields(kind) if field.encode_name == step), None)
        elif isinstance(step, int):
            kind = get_args(kind)[0] if get_args(kind) else None
        else:
            return kind
    return kind


def _struct_at(path: KeyPath) -> type[msgspec.Struct] | None:
    kind = type_at(path)
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


def _path(message: str) -> KeyPath:
    found = _AT.search(message)
    steps = _STEP.findall(found[1].split("[...]")[0]) if found else []
    return tuple(name or int(number) for name, number in steps)


def _place(layout: Layout, path: KeyPath, file_name: str) -> str:
    line = layout.line_of(path)
    return file_name if line is None else f"{file_name}:{line}"


def _value_at(data: Any, path: KeyPath) -> Any:
    for step in path:
        data = data[step]
    return data


def _remove(data: Any, path: KeyPath) -> bool:
    if not path:
        return False
    parent = _value_at(data, path[:-1])
    del parent[path[-1]]
    return True
