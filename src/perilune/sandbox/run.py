"""Running the sandbox: blocking for the command, in a thread for tests, inside a running loop for a demo."""

import asyncio
import contextlib
import ipaddress
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from perilune.core.errors import PeriluneError, UsageError
from perilune.sandbox.app import SandboxApp
from perilune.sandbox.http.protocol import Connection
from perilune.sandbox.scenario import Scenario
from perilune.sandbox.world import World

if TYPE_CHECKING:
    from perilune.sandbox.forge.app import ForgeApp
    from perilune.sandbox.http.certificates import Shown, Tls

_BACKLOG = 2_048


class SandboxHandle:
    """A listening sandbox inside a running loop. `authority` is the PEM to trust where it speaks TLS, else empty."""

    def __init__(self, world: World, server: asyncio.Server, connections: set[Connection], authority: str = "") -> None:
        self.world = world
        self.authority = authority
        self._server = server
        self._connections = connections
        host, port = server.sockets[0].getsockname()[:2]
        scheme = "https" if authority else "http"
        self.url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    async def stop(self) -> None:
        """Stops listening and ends every connection."""
        self._server.close()
        open_now = list(self._connections)
        for connection in open_now:
            connection.reset()
        await asyncio.gather(*(connection.gone() for connection in open_now))
        await self._server.wait_closed()


async def start_sandbox(
    world: World,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    forges: "ForgeApp | None" = None,
    tls: "Tls | None" = None,
) -> SandboxHandle:
    """Starts to listen on a loopback address, with forges where some are given.

    Raises: UsageError (PL-SANDBOX), PeriluneError (PL-PORT).
    """
    check_loopback(host)
    app, connections = SandboxApp(world, forges), set[Connection]()
    loop = asyncio.get_running_loop()
    shown = _shown(tls)
    context = None if shown is None else shown.context
    try:
        server = await loop.create_server(
            lambda: Connection(app, connections), host, port, backlog=_BACKLOG, ssl=context
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise PeriluneError.of("PL-PORT", variant="bind", address=f"{host}:{port}", reason=reason) from None
    return SandboxHandle(world, server, connections, "" if shown is None else shown.authority)


def _shown(tls: "Tls | None") -> "Shown | None":
    """Certificates are made only where they are wanted: the toolkit for them is slow to import."""
    if tls is None:
        return None
    from perilune.sandbox.http.certificates import shown_for

    return shown_for(tls)


def check_loopback(host: str) -> None:
    """Only this machine may reach the sandbox. Raises: UsageError (PL-SANDBOX)."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        raise UsageError.of("PL-SANDBOX", variant="listen", address=host)


def parse_listen(listen: str) -> tuple[str, int]:
    """`HOST:PORT` as host and port. Raises: UsageError (PL-SANDBOX)."""
    host, _, port = listen.rpartition(":")
    if not port.isdigit() or int(port) > 65_535 or not host:
        raise UsageError.of("PL-SANDBOX", variant="address", address=listen)
    return host.strip("[]"), int(port)


def serve(
    listen: str,
    scenario: str,
    ready: Callable[[SandboxHandle], None] = lambda _: None,
    forges: "ForgeApp | None" = None,
    *,
    tls: "Tls | None" = None,
) -> None:
    """Plays until it is interrupted; `ready` is called once the address answers. Raises: KeyboardInterrupt then."""
    host, port = parse_listen(listen)
    check_loopback(host)
    world = World(scenario)

    async def play() -> None:
        handle = await start_sandbox(world, host, port, forges=forges, tls=tls)
        ready(handle)
        try:
            await asyncio.Event().wait()
        finally:
            await handle.stop()

    asyncio.run(play())


class SandboxThread:
    """A sandbox in a thread of its own, on a free loopback port. `world` is its state, `url` its address."""

    def __init__(
        self,
        scenario: str | Mapping[str, Any] | Scenario = "pong",
        *,
        world: World | None = None,
        tls: "Tls | None" = None,
    ) -> None:
        self.world = world or World(scenario)
        self.url = self.authority = ""
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._failed: BaseException | None = None
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="perilune-sandbox", daemon=True)

    def start(self) -> "SandboxThread":
        self._thread.start()
        self._started.wait()
        if self._failed is not None:
            raise self._failed
        return self

    def stop(self) -> None:
        """Ends every connection, then the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def __enter__(self) -> "SandboxThread":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._play())
        finally:
            self._started.set()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _play(self) -> None:
        try:
            handle = await start_sandbox(self.world, tls=self._tls)
        except PeriluneError as error:
            self._failed = error
            return
        self.url, self.authority = handle.url, handle.authority
        self._started.set()
        await self._stop.wait()
        await handle.stop()


@contextlib.contextmanager
def running_sandbox(
    scenario: str | Mapping[str, Any] | Scenario = "pong", *, world: World | None = None, tls: "Tls | None" = None
) -> Iterator[SandboxThread]:
    """A sandbox that runs for the length of a `with` block."""
    with SandboxThread(scenario, world=world, tls=tls) as sandbox:
        yield sandbox
