"""Reads JSON as models damage it: commas, quotes, comments, literals, raw newlines, missing or cut-off ends."""

import re
from typing import Any

DEEPEST = 32

_BLANK = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/|#[^\n]*)*", re.DOTALL)
_BARE = re.compile(r"[^\s,:{}\[\]\"']+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NEXT_KEY = re.compile(r"\s*,\s*(?:[\"'][^\"'\n]{1,60}[\"']|[A-Za-z_][\w-]{0,60})\s*:")
_NEXT_ITEM = re.compile(r"\s*,+\s*(?:[\"'{\[\]\d]|true|false|null|None|True|False)")
_CLOSED = re.compile(r"\s*,*\s*(?:[}\]]|$)")
_COLON = re.compile(r"\s*:")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_LITERALS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "undefined": None,
    "nan": None,
}


class TooDeepError(ValueError):
    """Nested deeper than any answer of ours."""


class Tolerant:
    """One reading of a damaged document. `is_cut` says that the text ended inside; `dropped` counts cut list items."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._text = text
        self._at = start
        self.is_cut = False
        self.dropped = 0

    def value(self, depth: int = 0, *, in_object: bool = False) -> Any:
        """The value that begins here; what was complete of it where the text ends inside.

        Raises: TooDeepError.
        """
        if depth > DEEPEST:
            raise TooDeepError
        self._skip()
        char = self._peek()
        if char == "{":
            return self._object(depth)
        if char == "[":
            return self._array(depth)
        if char and char in "\"'`":
            return self._string(char, in_object=in_object)
        if not char:
            self.is_cut = True
            return None
        return self._literal()

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _skip(self) -> None:
        match = _BLANK.match(self._text, self._at)
        if match:
            self._at = match.end()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._at += 1
        while True:
            self._skip_commas()
            char = self._peek()
            if char == "}":
                self._at += 1
                return found
            if char in ("]", "{"):  # the closing bracket is missing
                return found
            if not char:
                self.is_cut = True
                return found
            self._member(found, depth)
            if self.is_cut:
                return found

    def _member(self, found: dict[str, Any], depth: int) -> None:
        key = self._key()
        self._skip()
        if self._peek() != ":":
            self.is_cut = self.is_cut or not self._peek()
            return
        self._at += 1
        was_cut = self.is_cut
        value = self.value(depth + 1, in_object=True)
        # A text that was cut is not a value; a list that was cut keeps its whole items.
        if was_cut or not self.is_cut or isinstance(value, (dict, list)):
            found[key] = value

    def _key(self) -> str:
        char = self._peek()
        if char in "\"'`":
            return str(self._string(char, is_key=True))
        match = _BARE.match(self._text, self._at)
        if match is None:
            self._at += 1
            return ""
        self._at = match.end()
        return match[0]

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self._at += 1
        while True:
            self._skip_commas()
            char = self._peek()
            if char == "]":
                self._at += 1
                return found
            if char == "}":  # the closing bracket is missing
                return found
            if not char:
                self.is_cut = True
                return found
            before = self._at
            value = self.value(depth + 1)
            if self.is_cut:
                self.dropped += 1
                return found
            self._skip()
            if isinstance(value, str) and self._peek() == ":":  # a key: the closing bracket is missing
                self._at = before
                return found
            found.append(value)
            if self._at == before:
                self._at += 1

    def _skip_commas(self) -> None:
        self._skip()
        while self._peek() == ",":
            self._at += 1
            self._skip()

    def _literal(self) -> Any:
        match = _BARE.match(self._text, self._at)
        if match is None:
            self._at += 1
            return None
        word = match[0]
        self._at = match.end()
        if self._at == len(self._text):
            self.is_cut = True
        if word.lower() in _LITERALS:
            return _LITERALS[word.lower()]
        if _NUMBER.fullmatch(word):
            return float(word) if any(mark in word for mark in ".eE") else int(word[:40])
        return word

    def _string(self, quote: str, *, in_object: bool = False, is_key: bool = False) -> str:
        parts: list[str] = []
        at = self._at + 1
        while at < len(self._text):
            char = self._text[at]
            if char == "\\":
                piece, at = _escaped(self._text, at)
                parts.append(piece)
                continue
            if char == quote and self._ends(at + 1, in_object=in_object, is_key=is_key):
                self._at = at + 1
                return "".join(parts)
            parts.append(char)
            at += 1
        self._at = len(self._text)
        self.is_cut = True
        return "".join(parts)

    def _ends(self, after: int, *, in_object: bool, is_key: bool) -> bool:
        """Whether a quote ends its string: what follows must be able to follow a string."""
        if is_key:
            return _COLON.match(self._text, after) is not None
        if _CLOSED.match(self._text, after):
            return True
        pattern = _NEXT_KEY if in_object else _NEXT_ITEM
        return pattern.match(self._text, after) is not None or self._is_comment(after)

    def _is_comment(self, after: int) -> bool:
        rest = self._text[after : after + 8].lstrip(" \t,")
        return rest.startswith(("//", "/*"))


def _escaped(text: str, at: int) -> tuple[str, int]:
    following = text[at + 1 : at + 2]
    if following == "u":
        digits = text[at + 2 : at + 6]
        if re.fullmatch(r"[0-9a-fA-F]{4}", digits):
            return chr(int(digits, 16)), at + 6
    if following in _ESCAPES and following:
        return _ESCAPES[following], at + 2
    return "\\" + following, at + 2
