"""tmux: `#[…]` sets the colour of the state part, a literal `#` is doubled."""

from __future__ import annotations

from perilune.faces.statusline.hues import TERMINAL_256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.faces.statusline.drawn import Drawn


def render(drawn: Drawn) -> str:
    """The full string as a part of `status-right`."""
    head, *rest = (piece.replace("#", "##") for piece in drawn.pieces())
    if drawn.has_colour:
        head = f"#[fg=colour{TERMINAL_256[drawn.state]}]{head}#[default]"
    return drawn.joined([head, *rest])
