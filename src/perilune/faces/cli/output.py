"""What is written to the terminal: width, colour, glyphs and encoding of one stream."""

import os
from collections.abc import Mapping
from typing import TextIO

_COLOURS = {
    "ok": "34",
    "high": "33",
    "spent": "31",
    "error": "31",
    "stale": "90",
    "unknown": "90",
    "dim": "90",
    "bold": "1",
}
_ASCII = str.maketrans(
    {
        "·": "-",
        "–": "-",
        "—": "-",
        "→": "->",
        "…": "...",
        "✓": "ok",
        "✗": "x",
        "●": "#",
        "▲": "!",
        "◌": "?",
        "█": "#",
        "░": ".",
        "≠": "!=",
        "≈": "~",
        "×": "x",
        "•": "*",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
    },
)
_PLAIN_TERMINALS = ("dumb", "linux")
_DEFAULT_COLUMNS = 80


class Output:
    """One stream: text goes out in its encoding, with colour and wide glyphs only where it can show them."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str]) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self.encoding = (stream.encoding or "ascii").lower()
        self.is_utf8 = self.encoding.replace("-", "").replace("_", "") in ("utf8", "utf8sig", "cp65001")
        self.is_ascii = not self.is_utf8 or environment.get("TERM") in _PLAIN_TERMINALS
        self.has_colour = _has_colour(environment, is_terminal=self.is_terminal)
        self.columns = _columns(environment, stream if self.is_terminal else None)
        self.has_written = False

    def line(self, text: str = "") -> None:
        """Write one line or several."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Write text as `shown`."""
        self.stream.write(self.shown(text))
        self.has_written = True

    def shown(self, text: str) -> str:
        """The text with glyphs and characters that this stream cannot show put in another way."""
        if self.is_ascii:
            text = text.translate(_ASCII)
        return text if self.is_utf8 else text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def paint(self, text: str, style: str) -> str:
        """The text in the colour of a state word (`ok`, `high`, `spent`, `stale`, `error`), `dim` or `bold`."""
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self.has_colour else text


def _has_colour(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_terminal and environment.get("TERM") != "dumb"


def _columns(environment: Mapping[str, str], terminal: TextIO | None) -> int:
    wanted = environment.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if terminal is None:
        return _DEFAULT_COLUMNS
    try:
        return os.get_terminal_size(terminal.fileno()).columns or _DEFAULT_COLUMNS
    except (OSError, ValueError):
        return _DEFAULT_COLUMNS
