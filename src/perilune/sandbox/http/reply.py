"""An answer before it goes over the wire."""

from typing import Any

from msgspec import Struct, field

from perilune.sandbox.faults import Fault
from perilune.sandbox.journal import Recorded
from perilune.sandbox.surfaces.frames import Frame, encode
from perilune.sandbox.tickets import Ticket

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
STREAM = "text/event-stream; charset=utf-8"


class Reply(Struct, kw_only=True):
    """One answer: a body, or frames of a stream.

    Units: `first_content_s` before the first content, `gap_s` between content frames; a body waits for all of it.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    frames: list[Frame] | None = None
    first_content_s: float = 0
    gap_s: float = 0
    pieces: int = 0
    ticket: Ticket | None = None
    entry: Recorded | None = None
    fault: Fault | None = None

    @classmethod
    def json(cls, payload: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> "Reply":
        return cls(status=status, headers=[("Content-Type", JSON), *(headers or [])], body=encode(payload))

    @classmethod
    def text(cls, text: str, status: int = 200, kind: str = "text/plain; charset=utf-8") -> "Reply":
        return cls(status=status, headers=[("Content-Type", kind)], body=text.encode())

    @property
    def waits_s(self) -> float:
        """How long a whole answer takes."""
        return self.first_content_s + self.gap_s * max(self.pieces - 1, 0)

    def put_header(self, name: str, value: str) -> None:
        """Sets a header, replacing one of the same name."""
        self.headers = [(key, kept) for key, kept in self.headers if key.lower() != name.lower()]
        self.headers.append((name, value))
