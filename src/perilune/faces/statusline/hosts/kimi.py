"""The vendor's own command line: our limits first, the context last. Its standard input holds no quota."""

from __future__ import annotations

from perilune.faces.statusline.hosts.contexts import share_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.faces.statusline.drawn import Drawn


def render(drawn: Drawn) -> str:
    """One line; spans are marked `~`."""
    pieces = drawn.pieces(with_balance=False, mark="~")
    context = share_text(drawn.stdin.get("contextUsage"))
    return drawn.joined([*pieces, *([context] if context else [])])
