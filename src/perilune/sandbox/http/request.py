"""A request as it came over the wire."""

from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct, field


class Request(Struct, kw_only=True):
    """One HTTP request. Header names are lower case; `target` is the path with its query."""

    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    connection: int = 0
    on_connection: int = 1
    keeps_alive: bool = True

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def json(self) -> Any:
        """The body as JSON. Raises: msgspec.DecodeError, UnicodeDecodeError."""
        return msgspec.json.decode(self.body)

    def form(self) -> dict[str, str]:
        """A form body, the last value of each name."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode(errors="replace")).items()}
