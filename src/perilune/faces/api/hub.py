"""The hub: tells every open page and stream that something changed."""

import asyncio
from collections.abc import AsyncIterator, Callable

_ROOM = 16


class Hub:
    """Fans events out to listeners; a listener that does not keep up misses old events, never delays anybody.

    Events are names (`status`, `gateway`, `events`, `reviews`); listeners fetch what they need. `opened` is called for
    every new listener.
    """

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._is_closed = False
        self.opened: Callable[[], None] = lambda: None

    def publish(self, event: str) -> None:
        """Tell every listener; call it from the loop's own thread."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    async def listen(self, heartbeat_s: float = 15) -> AsyncIterator[str | None]:
        """Events as they come, None as a sign of life after silence; ends when the hub closes."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(_ROOM)
        self._listeners.add(queue)
        self.opened()
        try:
            while not self._is_closed:
                try:
                    event = await asyncio.wait_for(queue.get(), heartbeat_s)
                except TimeoutError:
                    yield None
                    continue
                if event is None:
                    return
                yield event
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """End every stream; later listeners end at once."""
        self._is_closed = True
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    @property
    def listeners(self) -> int:
        return len(self._listeners)
