"""Serves one application on a socket: says when it answers, stops cleanly on a signal."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator

from perilune.net.server import App, FastLane, Listener

Ready = Callable[[], Awaitable[None]]


async def serve(
    app: App,
    listening: socket.socket,
    *,
    lane: Callable[[], FastLane | None] = lambda: None,
    ready: Ready,
    stopping: Callable[[], None],
    drain_s: float,
) -> None:
    """Serve until SIGINT, SIGTERM or cancellation.

    Shape: `lane` is asked first about each request; `ready` runs once the address answers; `stopping` is told first, so
    that long streams can end; running answers then get `drain_s` seconds. A second signal ends them at once.
    """
    listener = Listener(app, lane)
    first, second = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        (second if first.is_set() else first).set()

    with _signals(stop):
        await listener.start(listening)
        try:
            await ready()
            await first.wait()
        finally:
            stopping()
            await _end(listener, second, drain_s)


async def _end(listener: Listener, at_once: asyncio.Event, drain_s: float) -> None:
    ending = asyncio.create_task(listener.stop(drain_s))
    hurrying = asyncio.create_task(at_once.wait())
    await asyncio.wait({ending, hurrying}, return_when=asyncio.FIRST_COMPLETED)
    hurrying.cancel()
    if not ending.done():
        listener.hurry()
    await ending


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    taken = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            loop.add_signal_handler(number, stop)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
