"""Waybar: one JSON object with text, state, classes, percentage and tooltip; text and tooltip are Pango markup."""

from __future__ import annotations

import json

from perilune.faces.statusline.details import tooltip_lines
from perilune.faces.statusline.phrase import whole_used
from perilune.faces.statusline.view import is_paid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.faces.statusline.drawn import Drawn


def render(drawn: Drawn) -> str:
    """The object on one line; a line break of the tooltip stands inside its string."""
    answer: dict[str, object] = {
        "text": escaped(drawn.full()),
        "alt": drawn.state,
        "class": _classes(drawn),
    }
    bind = None if drawn.is_broken else drawn.view.bind
    percentage = whole_used(bind) if bind is not None else None
    if percentage is not None:
        answer["percentage"] = percentage
    answer["tooltip"] = escaped("\n".join(drawn.text(line) for line in tooltip_lines(drawn)))
    return json.dumps(answer, ensure_ascii=drawn.is_ascii, separators=(",", ":"))


def escaped(text: str) -> str:
    """The text as Pango takes it literally."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _classes(drawn: Drawn) -> list[str]:
    view = drawn.view
    marks = {
        "conflict": view.bind is not None and view.bind.conflict,
        "sandbox": view.line is not None and view.line.sandbox,
        "paid": is_paid(view.line, drawn.reader.now),
    }
    return [drawn.state, *(name for name, holds in marks.items() if holds)]
