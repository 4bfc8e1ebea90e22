"""The tokens of `--format`: `{bind.pct}`, `{7d.reset}`, `{balance}` …; `{{` is a brace."""

from __future__ import annotations

import re
import sys

from perilune.faces.statusline import phrase
from perilune.faces.statusline.hues import ASCII_GLYPHS, GLYPHS
from perilune.faces.statusline.view import balance_shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from perilune.faces.statusline.reader import Reader
    from perilune.faces.statusline.view import View
    from perilune.quota.line import LineWindow

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_PARTS = ("pct", "left", "reset", "at")
_WINDOWS = ("bind", "5h", "7d", "month")


def filled(template: str, view: View, reader: Reader, *, is_ascii: bool = False) -> str:
    """The template with its tokens filled; what is not known is a dash, an unknown token stands for itself."""

    def value(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        found = _value(match[1], view, reader, is_ascii=is_ascii)
        return match[0] if found is None else found

    return _TOKEN.sub(value, template)


def unknown_tokens(template: str) -> list[str]:
    """The tokens of a template that mean nothing here."""
    names = [match[1] for match in _TOKEN.finditer(template) if match[0] not in ("{{", "}}")]
    return [f"{{{name}}}" for name in names if not _is_known(name)]


def complain(template: str, reader: Reader) -> None:
    """Say on stderr which tokens are unknown."""
    for token in unknown_tokens(template):
        sys.stderr.write(f"error[PL-USAGE]: {reader.say('statusline.token', token=token)}\n")


def _is_known(name: str) -> bool:
    window, dot, part = name.partition(".")
    return (window in _WINDOWS and part in _PARTS) if dot else name in _PLAIN


def _value(name: str, view: View, reader: Reader, *, is_ascii: bool) -> str | None:
    window, dot, part = name.partition(".")
    if not _is_known(name):
        return None
    if dot:
        found = view.bind if window == "bind" else view.window(window)
        return phrase.UNKNOWN if found is None else _of_window(found, part, view, reader)
    if name == "glyph":
        return (ASCII_GLYPHS if is_ascii else GLYPHS)[view.state]
    return _PLAIN[name](view, reader) or phrase.UNKNOWN


def _of_window(window: LineWindow, part: str, view: View, reader: Reader) -> str:
    if part == "pct":
        return phrase.percent_used(window) or phrase.UNKNOWN
    if part == "left":
        return phrase.left(window)
    wait = phrase.until_reset(view, window)
    if wait is None or window.resets_at is None:
        return phrase.UNKNOWN
    return reader.short(wait) if part == "reset" else reader.clock(window.resets_at, round_up=True)


def _empty_at(view: View, reader: Reader) -> str | None:
    return None if view.bind is None or view.bind.empty_at is None else reader.clock(view.bind.empty_at)


def _age(view: View, reader: Reader) -> str | None:
    return None if view.account is None or view.account.fetched_at is None else reader.age(view.age)


def _route(view: View, reader: Reader) -> str | None:
    return view.line.routes[0].name if view.line is not None and view.line.routes else None


_PLAIN: dict[str, Callable[[View, Reader], str | None]] = {
    "pace": lambda view, reader: view.bind.stage if view.bind else None,
    "empty_at": _empty_at,
    "balance": lambda view, reader: balance_shown(view),
    "state": lambda view, reader: view.state,
    "glyph": lambda view, reader: None,
    "age": _age,
    "route": _route,
    "account": lambda view, reader: view.name,
}
