"""Where each table, key and value stands in a TOML text, so that faults have lines and edits touch nothing else.

The text has been parsed by tomllib before: the scanner follows its structure and does not judge it.
"""

import re
from bisect import bisect_right

from msgspec import Struct, field

KeyPath = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")
_SKIPPED = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


class Span(Struct, frozen=True):
    """Offsets of one key with its value: the key's first character, the value, the end of its last line."""

    start: int
    value_start: int
    value_end: int
    line_end: int


class Section(Struct, frozen=True):
    """Offsets of one table with a header of its own: the header's first character, the end of its last statement."""

    start: int
    end: int


class Layout(Struct):
    """Positions by path; list items are numbers in the path, `("accounts", 0, "name")`. `()` is the top of the file."""

    text: str
    values: dict[KeyPath, Span] = field(default_factory=dict)
    sections: dict[KeyPath, Section] = field(default_factory=dict)

    def line_of(self, path: KeyPath) -> int | None:
        """The line, from 1, of the longest beginning of `path` that stands in the text."""
        for length in range(len(path), 0, -1):
            at = self._start_of(path[:length])
            if at is not None:
                return self.line_at(at)
        return None

    def line_at(self, offset: int) -> int:
        """The line, from 1, of an offset."""
        newlines = [index for index, character in enumerate(self.text) if character == "\n"]
        return bisect_right(newlines, offset - 1) + 1

    def _start_of(self, path: KeyPath) -> int | None:
        found = self.values.get(path) or self.sections.get(path)
        return found.start if found else None


def scan(text: str) -> Layout:
    """The layout of a valid TOML text."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.layout = Layout(text=text, sections={(): Section(0, 0)})
        self.lists: dict[KeyPath, int] = {}
        self.table: KeyPath = ()

    def run(self) -> Layout:
        self._skip()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                self._header()
            else:
                self._statement()
            self._skip()
        return self.layout

    def _skip(self) -> None:
        match = _SKIPPED.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _blanks(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def _line_end(self) -> int:
        newline = self.text.find("\n", self.at)
        return len(self.text) if newline < 0 else newline + 1

    def _header(self) -> None:
        start, size = self.at, 2 if self.text.startswith("[[", self.at) else 1
        self.at += size
        keys = self._keys()
        self.at = self.text.index("]", self.at) + size
        self.table = self._resolve(keys, is_list_item=size == 2)
        self.at = self._line_end()
        self.layout.sections[self.table] = Section(start, self.at)

    def _resolve(self, keys: KeyPath, *, is_list_item: bool) -> KeyPath:
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._last_item((*path, key))
        path = (*path, keys[-1])
        if not is_list_item:
            return path
        self.lists[path] = self.lists.get(path, 0) + 1
        return self._last_item(path)

    def _last_item(self, path: KeyPath) -> KeyPath:
        return (*path, self.lists[path] - 1) if path in self.lists else path

    def _statement(self) -> None:
        path = self._pair(self.table)
        self.at = self._line_end()
        span = self.layout.values[path]
        self.layout.values[path] = Span(span.start, span.value_start, span.value_end, self.at)
        section = self.layout.sections[self.table]
        self.layout.sections[self.table] = Section(section.start, self.at)

    def _pair(self, table: KeyPath) -> KeyPath:
        """`key = value`; returns the path of the key."""
        start = self.at
        path = (*table, *self._keys())
        self.at = self.text.index("=", self.at) + 1
        self._blanks()
        self._item(path, start)
        return path

    def _item(self, path: KeyPath, start: int) -> None:
        value_start = self.at
        self._value(path)
        self.layout.values[path] = Span(start, value_start, self.at, self.at)

    def _keys(self) -> KeyPath:
        keys: list[str | int] = []
        while True:
            self._blanks()
            keys.append(self._key())
            self._blanks()
            if self.text[self.at : self.at + 1] != ".":
                return tuple(keys)
            self.at += 1

    def _key(self) -> str:
        quote = self.text[self.at]
        if quote not in "\"'":
            match = _BARE_KEY.match(self.text, self.at)
            assert match is not None  # noqa: S101 - tomllib has read this text
            self.at = match.end()
            return match[0]
        start = self.at
        self._string()
        inner = self.text[start + 1 : self.at - 1]
        return inner if quote == "'" else re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), inner)

    def _value(self, path: KeyPath) -> None:
        match self.text[self.at]:
            case '"' | "'":
                self._string()
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case _:
                match = _BARE_VALUE.match(self.text, self.at)
                self.at += len(match[0].rstrip()) if match else 0

    def _string(self) -> None:
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            self._long_string(quote)
            return
        self.at += 1
        while self.text[self.at] != quote:
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += 1

    def _long_string(self, quote: str) -> None:
        self.at += 3
        while not self.text.startswith(quote * 3, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += 3
        while self.text[self.at : self.at + 1] == quote:
            self.at += 1

    def _list(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while not self._closes("]"):
            self._item((*path, index), self.at)
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while not self._closes("}"):
            self._pair(path)

    def _closes(self, bracket: str) -> bool:
        """Step over spaces, comments and a comma; over the closing bracket too, when it is there."""
        self._skip()
        if self.text[self.at] == ",":
            self.at += 1
            self._skip()
        closes = self.text[self.at] == bracket
        self.at += 1 if closes else 0
        return closes
