"""The thin HTTP/1.1 client: pooled connections, one exchange each at a time, no pipelining, cancel is close."""

import asyncio
import ssl
from functools import lru_cache

from perilune.net.guard import Allowed
from perilune.net.upstream.connection import Connection
from perilune.net.upstream.dial import DNS_KEPT_S, Dialler
from perilune.net.upstream.port import Clock, Exchange, Layer, Outgoing, UpstreamError
from perilune.net.upstream.target import Target

_IDLE_KEPT_S = 55.0
_MOST_IDLE = 128


class ThinClient:
    """Sends requests over connections of its own pool, keyed by scheme, host and port."""

    def __init__(self, *, allowed: Allowed | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._dialler = Dialler(allowed=allowed, tls=tls)
        self._idle: dict[tuple[str, str, int, bool], list[Connection]] = {}
        self._is_closed = False

    async def send(
        self,
        request: Outgoing,
        *,
        connect_timeout_s: float,
        first_timeout_s: float,
        clock: Clock = "first",
        begun: Connection | None = None,
    ) -> Exchange:
        """Send and wait for status and headers; once more, on a new connection, when a reused one ended silently.

        `begun` is a reused connection on which this very request was written already.
        """
        connection = begun or await self._idle_connection(request.target)
        if connection is not None:
            try:
                if begun is None:
                    self._write(connection, request, first_timeout_s, clock)
                return await self._exchange(connection, request.target)
            except UpstreamError as failure:
                if failure.layer is not Layer.RESET or failure.any_byte:
                    raise
        connection = await self._dial(request.target, connect_timeout_s)
        self._write(connection, request, first_timeout_s, clock)
        return await self._exchange(connection, request.target)

    def pool(self, target: Target) -> list[Connection]:
        """The idle connections to a target, the one used last behind."""
        return self._idle.setdefault(target.key, [])

    def idle(self, target: Target, idle: list[Connection]) -> Connection | None:
        """A connection of this pool that can be written to at once.

        None when one has to be opened, or an address be checked.
        """
        while idle:
            connection = idle[-1]
            now = connection.now()
            if connection.is_open and now - connection.idle_since <= _IDLE_KEPT_S:
                if target.is_guarded and now - connection.checked_at >= DNS_KEPT_S:
                    return None
                return idle.pop()
            idle.pop().close()
        return None

    def exchange(self, target: Target, connection: Connection) -> Exchange:
        """The exchange on a connection whose answer has begun."""
        return _PooledExchange(self, target, connection)

    async def close(self) -> None:
        """Close every idle connection; running exchanges are closed by their owners."""
        self._is_closed = True
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def give_back(self, target: Target, connection: Connection, pool: list[Connection] | None = None) -> None:
        """Keep a connection whose exchange is over, or close it."""
        connection.rest()
        idle = self.pool(target) if pool is None else pool
        if not connection.is_open or not connection.is_complete or self._is_closed or len(idle) >= _MOST_IDLE:
            connection.close()
            return
        connection.idle_since = connection.now()
        idle.append(connection)

    def _write(self, connection: Connection, request: Outgoing, first_timeout_s: float, clock: Clock) -> None:
        try:
            connection.start(_head_bytes(request), request.body)
            connection.expect_within(first_timeout_s, clock)
        except BaseException:
            connection.close()
            raise

    async def _exchange(self, connection: Connection, target: Target) -> "_PooledExchange":
        try:
            await connection.head()
        except BaseException:
            connection.close()
            raise
        return _PooledExchange(self, target, connection)

    async def _idle_connection(self, target: Target) -> Connection | None:
        idle, now = self._idle.get(target.key), asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            if not connection.is_open or now - connection.idle_since > _IDLE_KEPT_S:
                connection.close()
            elif not target.is_guarded or now - connection.checked_at < DNS_KEPT_S:
                return connection
            else:
                return await self._checked_again(connection, target, now)
        return None

    async def _checked_again(self, connection: Connection, target: Target, now: float) -> Connection:
        try:
            await self._dialler.addresses(target)
        except BaseException:
            connection.close()
            raise
        connection.checked_at = now
        return connection

    async def _dial(self, target: Target, connect_timeout_s: float) -> Connection:
        try:
            async with asyncio.timeout(connect_timeout_s):
                return await self._dialler.dial(target)
        except TimeoutError as error:
            raise UpstreamError(Layer.TIMEOUT, "connect", clock="connect") from error


class _PooledExchange:
    """An exchange on a pooled connection, which goes back to the pool with the last byte."""

    __slots__ = ("_client", "_connection", "_target", "headers", "status")

    def __init__(self, client: ThinClient, target: Target, connection: Connection) -> None:
        self._client = client
        self._target = target
        self._connection: Connection | None = connection
        self.status = connection.status
        self.headers = connection.headers

    @property
    def connection(self) -> Connection | None:
        """The connection below, for who watches it instead of reading; None at the end."""
        return self._connection

    def expect_within(self, seconds: float, clock: Clock) -> None:
        """From now on the next byte must come within so many seconds."""
        if self._connection is not None:
            self._connection.expect_within(seconds, clock)

    async def read(self) -> bytes:
        """The next bytes of the body, empty at its end."""
        connection = self._connection
        if connection is None:
            return b""
        try:
            chunk = await connection.read()
        except BaseException:
            self.close()
            raise
        if not chunk:
            self._connection = None
            self._client.give_back(self._target, connection)
        return chunk

    def close(self) -> None:
        """Close the connection unless the whole answer has come; then it is kept."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.is_complete:
            self._client.give_back(self._target, connection)
        else:
            connection.close()


def written_head(method: str, target: Target, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Request line and headers up to the length, which is written behind them for each body."""
    return _written(method, target, headers)


def _head_bytes(request: Outgoing) -> bytes:
    head = _written(request.method, request.target, request.headers)
    if request.body or request.method == "POST":
        return b"%bcontent-length: %d\r\n\r\n" % (head, len(request.body))
    return head + b"\r\n"


@lru_cache(maxsize=256)
def _written(method: str, target: Target, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Request line and headers; the same few are sent over and over."""
    lines = [f"{method} {target.path} HTTP/1.1", f"host: {target.host_header}"]
    lines += [f"{name}: {value}" for name, value in headers]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1:
        raise ValueError("a header holds a line break")
    return f"{text}\r\n".encode("latin-1")
