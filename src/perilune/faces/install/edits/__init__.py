"""Edits of a text: what is put in can be taken out again, whatever others wrote around it meanwhile.

`put` returns the new text and what stood in our place before; `take` the text without ours and with that back in place,
None when ours is not there any more.
"""

from typing import Protocol


class Unfit(Exception):  # noqa: N818 - an outcome of looking at a file
    """The file has a shape that this edit cannot handle; its words are for the programmer, not the reader."""


class Edit(Protocol):
    """One edit of one file."""

    def put(self, text: str) -> tuple[str, str | None]: ...
    def take(self, text: str, before: str | None) -> str | None: ...


def newline_of(text: str) -> str:
    """The line ends that the file has."""
    return "\r\n" if "\r\n" in text else "\n"
