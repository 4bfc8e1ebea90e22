"""polybar: `%{F…}` sets the colour of the state part; a literal `%{` is broken up."""

from __future__ import annotations

from perilune.faces.statusline.hues import DARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.faces.statusline.drawn import Drawn


def render(drawn: Drawn) -> str:
    """The full string for a custom/script module."""
    head, *rest = (piece.replace("%{", "%%{") for piece in drawn.pieces())
    if drawn.has_colour:
        head = f"%{{F{DARK[drawn.state]}}}{head}%{{F-}}"
    return drawn.joined([head, *rest])
