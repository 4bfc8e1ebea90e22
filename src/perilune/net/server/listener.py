"""The listener: a socket's connections, their clocks, and a stop that lets running answers end."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from perilune.net.server.connection import ServerConnection
from perilune.net.server.cycle import App, Cycle
from perilune.net.server.heads import Head, Heads

__all__ = ["App", "FastLane", "Listener"]

MOST_CONNECTIONS = 1000
_TICK_S = 1.0
_LAST_CALL_S = 0.1


class FastLane(Protocol):
    """Answers some requests without an application."""

    def wants(self, head: Head, length: int) -> bool:
        """Whether a body of this length is to be read for it before anybody is asked."""
        ...

    def take(self, connection: ServerConnection, head: Head, body: bytes) -> bool:
        """Answer a whole request; False leaves it to the application as if nobody had looked."""
        ...


class Listener:
    """Serves one application on one socket. Belongs to one event loop. `now` is the loop's time, to the second."""

    def __init__(
        self, app: App, lane: Callable[[], FastLane | None] = lambda: None, *, most: int = MOST_CONNECTIONS
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.heads = Heads()
        self.lane = lane
        self.now = self.loop.time()
        self._app = app
        self._most = most
        self._server: asyncio.Server | None = None
        self._connections: set[ServerConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._all_closed: asyncio.Event = asyncio.Event()
        self._address: tuple[str, int] | None = None

    async def start(self, listening: socket.socket) -> None:
        """Begin to accept."""
        self._address = listening.getsockname()[:2]
        self._server = await self.loop.create_server(lambda: ServerConnection(self), sock=listening, backlog=2048)

    async def stop(self, drain_s: float) -> bool:
        """Accept nothing new, let running answers end for so long, then cut them off; True when all ended."""
        await asyncio.sleep(_LAST_CALL_S)  # who has just connected is told so, not reset
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.end_gracefully()
        is_empty = await self._is_empty_within(drain_s)
        for task in self._tasks:
            task.cancel()
        for connection in list(self._connections):
            connection.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._is_empty_within(1.0)
        if self._timer is not None:
            self._timer.cancel()
        return is_empty

    def hurry(self) -> None:
        """Let nothing that runs end by itself any more."""
        self._all_closed.set()

    def opened(self, connection: ServerConnection) -> bool:
        """A new connection; False when there are too many."""
        self._connections.add(connection)
        if self._timer is None:
            self._tick()
        return len(self._connections) <= self._most

    def closed(self, connection: ServerConnection) -> None:
        """A connection is no more."""
        self._connections.discard(connection)
        if not self._connections:
            self._all_closed.set()

    def run(self, cycle: Cycle, app: App | None = None) -> None:
        """Let the application answer, or another one."""
        task = self.loop.create_task(cycle.run(app or self._app, cycle.scope(self._address, None)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _is_empty_within(self, seconds: float) -> bool:
        if not self._connections:
            return True
        self._all_closed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._all_closed.wait()
        except TimeoutError:
            return False
        return True

    def _tick(self) -> None:
        self.now = self.loop.time()
        for connection in list(self._connections):
            connection.tick(self.now)
        self._timer = self.loop.call_later(_TICK_S, self._tick) if self._connections else None
