"""Display width: how many terminal cells a text takes, and cutting, filling and wrapping by it.

East Asian Wide and Fullwidth characters take two cells, combining marks and format characters none, ambiguous ones one.
"""

from collections.abc import Iterator
from typing import Literal
from unicodedata import category, combining, east_asian_width

_NO_BREAK_BEFORE = frozenset("，。；：！？、）」』”’》…)]}.,;:!?%")
_NO_BREAK_AFTER = frozenset("（「『“‘《([{")


def width(text: str) -> int:
    """The cells that a text takes on one line."""
    return len(text) if text.isascii() else sum(_cells(character) for character in text)


def pad(text: str, columns: int, align: Literal["left", "right"] = "left") -> str:
    """The text filled with spaces to a number of cells; longer text stays as it is."""
    space = " " * max(columns - width(text), 0)
    return text + space if align == "left" else space + text


def cut(text: str, columns: int, ellipsis: str = "…") -> str:
    """The text in at most `columns` cells, with an ellipsis where something was left out."""
    if width(text) <= columns:
        return text
    room, kept = columns - width(ellipsis), ""
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept += character
    return kept + ellipsis


def wrap(text: str, columns: int, hanging: int = 0, *, cuts: bool = False) -> list[str]:
    """The text in lines of at most `columns` cells: broken at spaces and between wide characters, kept at line feeds.

    Lines after the first leave room for an indent of `hanging`. A word that is wider than a line stands alone and
    sticks out, so that commands and addresses can be copied; with `cuts` it is cut, as words of others may be.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        pieces = _pieces(paragraph)
        for piece in _cut_pieces(pieces, columns - hanging) if cuts else pieces:
            room = columns - hanging if lines else columns
            if line and width((line + piece).rstrip()) > room:
                lines.append(line.rstrip())
                line = piece.lstrip()
            else:
                line += piece
        lines.append(line.rstrip())
    return lines


def _pieces(text: str) -> Iterator[str]:
    """What may not be broken: words with the spaces behind them, wide characters with their punctuation."""
    piece = ""
    for index, character in enumerate(text):
        piece += character
        following = text[index + 1 : index + 2]
        if not following or _may_break(character, following):
            yield piece
            piece = ""


def _cut_pieces(pieces: Iterator[str], columns: int) -> Iterator[str]:
    """The pieces, those that are wider than a line cut into lines."""
    for piece in pieces:
        while width(piece.rstrip()) > columns:
            head = cut(piece, columns, "")
            yield head
            piece = piece[len(head) :]
        yield piece


def _may_break(before: str, after: str) -> bool:
    if after == " " or after in _NO_BREAK_BEFORE or before in _NO_BREAK_AFTER:
        return False
    return before == " " or _cells(before) == 2 or _cells(after) == 2


def _cells(character: str) -> int:
    if character < "\x7f":
        return 1
    if combining(character) or category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
