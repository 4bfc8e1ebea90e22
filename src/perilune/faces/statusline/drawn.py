"""What a host draws: the strings of one account, and what the host handed in."""

from __future__ import annotations

from perilune.faces.statusline import phrase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from perilune.faces.statusline.reader import Reader
    from perilune.faces.statusline.view import View


class Drawn:
    """One account's line for one host.

    Shape: `stdin` is the object a host wrote, empty when it wrote none; `template` replaces the default string;
    `is_broken` when the store cannot be read.
    """

    def __init__(
        self,
        view: View,
        reader: Reader,
        *,
        is_ascii: bool = False,
        is_broken: bool = False,
        has_colour: bool = True,
        template: str | None = None,
        stdin: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.view, self.reader = view, reader
        self.is_ascii, self.is_broken, self.has_colour = is_ascii, is_broken, has_colour
        self.template = template
        self.stdin = stdin or {}
        self.environment = environment or {}

    @property
    def state(self) -> str:
        """The state word."""
        return "error" if self.is_broken else self.view.state

    def text(self, text: str) -> str:
        """A text on one line, in the glyphs that are wanted."""
        text = " ".join(text.split("\n"))
        return phrase.ascii_text(text) if self.is_ascii else text

    def pieces(self, *, with_balance: bool = True, mark: str = "") -> list[str]:
        """The full string in pieces; the first carries the state."""
        if self.is_broken:
            return [phrase.STORE]
        if self.template is not None:
            from perilune.faces.statusline.tokens import filled

            return [self.text(filled(self.template, self.view, self.reader, is_ascii=self.is_ascii))]
        drawn = phrase.pieces(self.view, self.reader, with_balance=with_balance, mark=mark)
        return [self.text(piece) for piece in drawn]

    def full(self) -> str:
        """The full string."""
        return self.joined(self.pieces())

    def joined(self, pieces: list[str]) -> str:
        """Pieces on one line."""
        return self.text(phrase.DOT).join(pieces)

    def narrow(self) -> str:
        """The string of at most 16 cells."""
        return phrase.STORE if self.is_broken else self.text(phrase.narrow(self.view, self.reader))
