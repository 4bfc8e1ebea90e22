"""Serves one ASGI application with uvicorn: says when it answers, stops cleanly on a signal."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

Ready = Callable[[], Awaitable[None]]


class _Quiet(uvicorn.Server):
    """uvicorn without signal handlers of its own: ours know what else has to stop. `answers` is set once it does."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: ASGIApp, listener: socket.socket, *, ready: Ready, stopping: Callable[[], None], drain_s: float
) -> None:
    """Serve until SIGINT, SIGTERM or cancellation.

    Shape: `ready` runs once the address answers; `stopping` is told first, so that long streams can end; running
    answers then get `drain_s` seconds.
    """
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(drain_s)),
        h11_max_incomplete_event_size=32 * 1024,
    )
    server = _Quiet(config)

    def stop() -> None:
        if server.should_exit:
            server.force_exit = True
            return
        stopping()
        server.should_exit = True

    with _signals(stop):
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            waiting = asyncio.create_task(server.answers.wait())
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if server.started:
                await ready()
            await serving
        except asyncio.CancelledError:
            stop()
            await serving
            raise


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
