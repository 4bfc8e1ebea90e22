"""Characters that hide or reorder text are shown as visible escapes, `⟨U+202E⟩`, and can be mapped back."""

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]",
)
_ESCAPE = re.compile(r"⟨U\+([0-9A-F]{4,6})⟩")
_LAST = 0x10FFFF


def visible(text: str) -> str:
    """The text with hidden characters as escapes; a CR at the very end, which is a line ending, is left out."""
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text.removesuffix("\r"))


def original(text: str) -> str:
    """The text with escapes turned back into the characters they stand for."""
    return _ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number <= _LAST and _HIDDEN.fullmatch(chr(number)) else match[0]


def one_line(text: str, limit: int) -> str:
    """Text on one line, hidden characters visible, cut at `limit`."""
    flat = visible(" ".join(text.split()))
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
