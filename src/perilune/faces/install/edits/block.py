"""Lines at the end of a file, or the whole file."""

from msgspec import Struct

from perilune.faces.install.edits import newline_of


class Block(Struct, frozen=True):
    """Lines of ours behind what is there. Ends with a line feed."""

    lines: str

    def put(self, text: str) -> tuple[str, str | None]:
        ours = self._as_in(text)
        if ours in text:
            return text, None
        gap = "" if not text or text.endswith("\n") else newline_of(text)
        return f"{text}{gap}{ours}", None

    def take(self, text: str, before: str | None) -> str | None:
        ours = self._as_in(text)
        return text.replace(ours, "", 1) if ours in text else None

    def _as_in(self, text: str) -> str:
        return self.lines.replace("\n", newline_of(text))


class Whole(Struct, frozen=True):
    """A file that is all ours."""

    text: str

    def put(self, text: str) -> tuple[str, str | None]:
        return self.text, None if text in ("", self.text) else text

    def take(self, text: str, before: str | None) -> str | None:
        return (before or "") if text == self.text else None
