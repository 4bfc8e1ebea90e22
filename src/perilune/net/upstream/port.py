"""The port: one request out, status and headers back, then chunks; failures say which layer and which clock."""

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from perilune.net.upstream.target import Target

if TYPE_CHECKING:
    from perilune.net.upstream.connection import Connection

Clock = Literal["connect", "first", "answer", "idle", "total"]


class Layer(StrEnum):
    """Where an exchange failed."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    RESET = "reset"
    TIMEOUT = "timeout"
    GARBLED = "garbled"
    GUARD = "guard"


class UpstreamError(Exception):
    """An exchange that did not come to its end.

    Shape: `any_byte` tells whether a byte of an answer had come; `clock` is set for timeouts; `detail` names no secret.
    """

    def __init__(self, layer: Layer, detail: str = "", *, clock: Clock | None = None, any_byte: bool = False) -> None:
        super().__init__(f"{layer}: {detail}" if detail else str(layer))
        self.layer = layer
        self.detail = detail
        self.clock = clock
        self.any_byte = any_byte


class Outgoing(Struct, frozen=True, gc=False):
    """One request as it leaves. `headers` are complete but for `host` and `content-length`, which the client writes."""

    method: str
    target: Target
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


class Exchange(Protocol):
    """A request in flight whose answer has begun. Header names are lower case."""

    status: int
    headers: list[tuple[str, str]]

    @property
    def connection(self) -> "Connection | None":
        """The connection below, for who watches it instead of reading; None at the end, or where there is none."""
        ...

    def expect_within(self, seconds: float, clock: Clock) -> None:
        """From now on the next byte must come within so many seconds; replaces the limit before."""
        ...

    async def read(self) -> bytes:
        """The next bytes of the body, empty at its end. Raises: UpstreamError."""
        ...

    def close(self) -> None:
        """Give up what has not come yet; at once and without waiting. Harmless when all has come."""
        ...


class Upstream(Protocol):
    """Sends requests to vendors."""

    async def send(
        self,
        request: Outgoing,
        *,
        connect_timeout_s: float,
        first_timeout_s: float,
        clock: Clock = "first",
        begun: "Connection | None" = None,
    ) -> Exchange:
        """Send and wait for status and headers. Raises: UpstreamError. Cancelling closes the connection.

        `begun` is a connection of this client on which the request is on its way already.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
