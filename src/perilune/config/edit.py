"""Edits of a TOML text that touch what they are asked to touch and leave every other byte as it is.

Each edit is tried in the ways the text may be written (a table of its own, dotted keys, inline) and is taken only when
the result reads as what was meant. Where none does, the text is not changed.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from perilune.config.layout import KeyPath, Layout, Span, scan
from perilune.config.toml_text import toml_key, toml_value
from perilune.core.errors import ConfigError, PeriluneError

Edit = Callable[[str], str]


def set_value(text: str, path: KeyPath, value: object) -> str:
    """The text with one value set.

    Raises: PL-CONFIG-VALUE when the text around it would have to change.
    """
    wanted = tomllib.loads(text)
    parent = _container(wanted, path[:-1])
    parent[path[-1]] = _as_read(value)
    return _first_that_reads_as(wanted, _ways_to_set(scan(text), path, value), path)


def unset(text: str, path: KeyPath) -> str:
    """The text without one value, table, or list item; the same text where it has none.

    Raises: PL-CONFIG-VALUE when the text around it would have to change.
    """
    wanted = tomllib.loads(text)
    try:
        del _container(wanted, path[:-1])[path[-1]]
    except (KeyError, IndexError):
        return text
    return _first_that_reads_as(wanted, _ways_to_unset(scan(text), path), path)


def append_table(text: str, path: KeyPath, values: Mapping[str, object]) -> str:
    """The text with one more table in a list of tables.

    Raises: PL-CONFIG-VALUE when the text around it would have to change.
    """
    wanted = tomllib.loads(text)
    _container(wanted, path[:-1]).setdefault(path[-1], []).append(_as_read(values))
    return _first_that_reads_as(wanted, _ways_to_append(scan(text), path, values), path)


def _as_read(value: object) -> Any:
    """A value as TOML gives it back."""
    if isinstance(value, Mapping):
        return {key: _as_read(item) for key, item in value.items()}
    return [_as_read(item) for item in value] if isinstance(value, (list, tuple)) else value


def _container(data: Any, path: KeyPath) -> Any:
    for step in path:
        data = data.setdefault(step, {}) if isinstance(data, dict) else data[step]
        if not isinstance(data, (dict, list)):
            raise _unwritable(path)
    return data


def _first_that_reads_as(wanted: dict[str, Any], ways: Iterator[str], path: KeyPath) -> str:
    for candidate in ways:
        if _reads_as(candidate, wanted):
            return candidate
    raise _unwritable(path)


def _unwritable(path: KeyPath) -> PeriluneError:
    key = ".".join(map(str, path))
    return ConfigError.of("PL-CONFIG-VALUE", variant="unwritable", place="config.toml", key=key)


def _reads_as(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return bool(_without_empty(tomllib.loads(text)) == _without_empty(wanted))
    except tomllib.TOMLDecodeError:
        return False


def _without_empty(value: Any) -> Any:
    """Data without empty tables: a header that has lost its last key may stay."""
    if isinstance(value, dict):
        kept = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [])}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _ways_to_set(layout: Layout, path: KeyPath, value: object) -> Iterator[str]:
    text, pair = layout.text, f"{toml_key(str(path[-1]))} = {toml_value(value)}"
    span = layout.values.get(path)
    if span is not None:
        yield text[: span.value_start] + toml_value(value) + text[span.value_end :]
    section = layout.sections.get(path[:-1])
    if section is not None:
        yield _insert_line(text, section.end, pair)
    inline = layout.values.get(path[:-1])
    if inline is not None:
        yield _insert_inline(layout, path[:-1], inline, pair)
    if all(isinstance(step, str) for step in path) and len(path) > 1:
        dotted = ".".join(toml_key(str(step)) for step in path)
        yield _append_block(text, f"[{dotted.rpartition('.')[0]}]\n{pair}\n")
        yield _insert_line(text, layout.sections[()].end, f"{dotted} = {toml_value(value)}")


def _ways_to_unset(layout: Layout, path: KeyPath) -> Iterator[str]:
    text = layout.text
    section = layout.sections.get(path)
    if section is not None:
        ends = [found.end for place, found in layout.sections.items() if place[: len(path)] == path]
        yield text[: section.start] + text[max(ends) :].removeprefix("\n")
    span = layout.values.get(path)
    if span is not None:
        line_start = text.rfind("\n", 0, span.start) + 1
        yield text[:line_start] + text[span.line_end :]
        yield from _without_item(text, span)


def _without_item(text: str, span: Span) -> Iterator[str]:
    """An item of an inline table or list goes with the comma behind it, or else with the one before it."""
    behind = text[span.value_end :]
    after_comma = behind.lstrip().removeprefix(",")
    if after_comma != behind.lstrip():
        yield text[: span.start] + after_comma.lstrip(" ")
    before = text[: span.start].rstrip()
    yield before.removesuffix(",").rstrip() + behind
    yield before + behind


def _ways_to_append(layout: Layout, path: KeyPath, values: Mapping[str, object]) -> Iterator[str]:
    lines = "".join(f"{toml_key(key)} = {toml_value(value)}\n" for key, value in values.items())
    yield _append_block(layout.text, f"[[{'.'.join(toml_key(str(step)) for step in path)}]]\n{lines}")
    inline = layout.values.get(path)
    if inline is not None:
        yield _insert_inline(layout, path, inline, toml_value(values))


def _insert_line(text: str, at: int, line: str) -> str:
    before = text[:at]
    return before + ("\n" if before and not before.endswith("\n") else "") + line + "\n" + text[at:]


def _append_block(text: str, block: str) -> str:
    if not text.strip():
        return text + block
    gap = "\n" if text.endswith("\n") else "\n\n"
    return text + ("" if text.endswith("\n\n") else gap) + block


def _insert_inline(layout: Layout, path: KeyPath, span: Span, item: str) -> str:
    """One more item at the end of an inline table or list."""
    text = layout.text
    ends = [found.value_end for place, found in layout.values.items() if place[:-1] == path]
    if not ends:
        space = " " if text[span.value_end - 1] == "}" else ""
        return text[: span.value_end - 1].rstrip() + f"{space}{item}{space}" + text[span.value_end - 1 :]
    return text[: max(ends)] + f", {item}" + text[max(ends) :]
