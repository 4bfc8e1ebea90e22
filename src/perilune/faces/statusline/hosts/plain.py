"""One line without escape codes, for scripts, and for prompts that style it themselves (starship)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.faces.statusline.drawn import Drawn


def render(drawn: Drawn) -> str:
    """The full string."""
    return drawn.full()
