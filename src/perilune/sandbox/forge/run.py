"""Running the forges: in a thread for tests, or mounted in the sandbox."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from perilune.sandbox.clock import Clock
from perilune.sandbox.forge.app import ForgeApp
from perilune.sandbox.forge.state import DIALECTS, Forge
from perilune.sandbox.http.protocol import Connection


class ForgeThread:
    """Three forges on one loopback port, in a thread of their own. `url` is the origin, `/github` … below it."""

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        shared = clock or Clock()
        self.forges = {dialect: Forge(dialect, folder, clock=shared) for dialect in DIALECTS}
        self.app = ForgeApp(self.forges)
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="perilune-forge", daemon=True)

    def __enter__(self) -> "ForgeThread":
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._play())
        finally:
            self._started.set()
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _play(self) -> None:
        connections: set[Connection] = set()
        server = await self._loop.create_server(lambda: Connection(self.app, connections), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._stop.wait()
        server.close()
        open_now = list(connections)
        for connection in open_now:
            connection.reset()
        await asyncio.gather(*(connection.gone() for connection in open_now))
        await server.wait_closed()


@contextlib.contextmanager
def running_forge(folder: Path, *, clock: Clock | None = None) -> Iterator[ForgeThread]:
    """Forges that run for the length of a `with` block."""
    with ForgeThread(folder, clock=clock) as forges:
        yield forges
