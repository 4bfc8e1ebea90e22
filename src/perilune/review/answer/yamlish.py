"""Reads the YAML that models write where JSON was asked: block mappings and lists, block and quoted texts."""

import json
import re
from typing import Any

from msgspec import Struct

from perilune.review.answer.tolerant import DEEPEST, Tolerant, TooDeepError

_KEY = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([A-Za-z_][\w .-]*?))\s*:(?:\s+(.*)|\s*)$""")
_BLOCK = re.compile(r"[|>][+-]?\d?")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None, "yes": True, "no": False}


class _Row(Struct, frozen=True):
    """One line: depth and text."""

    indent: int
    text: str


class Yamlish:
    """One reading of a text as YAML."""

    def __init__(self, text: str) -> None:
        self._rows = [_Row(len(line) - len(line.lstrip(" ")), line.strip()) for line in text.expandtabs(2).split("\n")]
        self._raw = text.expandtabs(2).split("\n")
        self._at = 0

    def document(self) -> Any:
        """The mapping or list that the text holds, None where it holds neither.

        Raises: TooDeepError.
        """
        self._skip_blank()
        row = self._row()
        if row is None or not (row.text.startswith("- ") or _KEY.match(row.text)):
            return None
        return self._node(row.indent, 0)

    def _row(self) -> _Row | None:
        return self._rows[self._at] if self._at < len(self._rows) else None

    def _skip_blank(self) -> None:
        while (row := self._row()) is not None and (
            not row.text or row.text.startswith("#") or row.text in ("---", "...")
        ):
            self._at += 1

    def _node(self, indent: int, depth: int) -> Any:
        if depth > DEEPEST:
            raise TooDeepError
        row = self._row()
        if row is not None and (row.text == "-" or row.text.startswith("- ")):
            return self._list(indent, depth)
        return self._mapping(indent, depth)

    def _list(self, indent: int, depth: int) -> list[Any]:
        found: list[Any] = []
        while True:
            self._skip_blank()
            row = self._row()
            if row is None or row.indent != indent or not (row.text == "-" or row.text.startswith("- ")):
                return found
            found.append(self._item(row, depth))

    def _item(self, row: _Row, depth: int) -> Any:
        rest = row.text[1:].lstrip()
        inner = row.indent + len(row.text) - len(rest)
        if not rest:
            self._at += 1
            return self._below(row.indent, depth)
        if _KEY.match(rest) and not rest.startswith(("{", "[")):
            self._rows[self._at] = _Row(inner, rest)
            return self._mapping(inner, depth + 1)
        self._at += 1
        return _scalar(rest)

    def _mapping(self, indent: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            self._skip_blank()
            row = self._row()
            match = _KEY.match(row.text) if row is not None and row.indent == indent else None
            if match is None:
                return found
            self._at += 1
            key = next(part for part in match.groups()[:3] if part is not None)
            found[key] = self._value(match[4] or "", indent, depth)

    def _value(self, text: str, indent: int, depth: int) -> Any:
        if _BLOCK.fullmatch(text):
            return self._block(indent, folded=text.startswith(">"))
        return _scalar(text) if text else self._below(indent, depth)

    def _below(self, indent: int, depth: int) -> Any:
        self._skip_blank()
        row = self._row()
        deeper = row is not None and (row.indent > indent or (row.indent == indent and row.text.startswith("- ")))
        return self._node(row.indent, depth + 1) if deeper and row is not None else None

    def _block(self, indent: int, *, folded: bool) -> str:
        lines: list[str] = []
        base: int | None = None
        while (row := self._row()) is not None and (not row.text or row.indent > indent):
            if base is None and row.text:
                base = row.indent
            lines.append(self._raw[self._at][base or 0 :])
            self._at += 1
        text = "\n".join(lines).rstrip()
        return " ".join(text.split()) if folded else text


def _scalar(text: str) -> Any:
    if text.startswith(("{", "[")):
        return Tolerant(text).value()
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        try:
            return json.loads(text, strict=False)
        except ValueError:
            return text[1:-1]
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    text = text.partition(" #")[0].rstrip()
    if text.lower() in _LITERALS:
        return _LITERALS[text.lower()]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text[:40])
    return text
