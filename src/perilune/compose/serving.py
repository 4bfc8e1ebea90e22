"""`perilune up`: binds, starts the stack (or the demo where there is no key yet), serves, stops cleanly."""

import asyncio
import gc
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from perilune import __version__
from perilune.compose.service_log import service_log
from perilune.compose.stack import Stack
from perilune.compose.workbench import Workbench
from perilune.config.schema import Config
from perilune.core.errors import UsageError
from perilune.faces.api.hub import Hub
from perilune.faces.api.ports import AddedKey
from perilune.faces.api.server import serve
from perilune.faces.cli.up import ReadyFacts, RouteFacts, UpOptions
from perilune.net.listening import ListenAddress, bind, parse_listen
from perilune.net.server import FastLane
from perilune.quota.document import AccountDocument

if TYPE_CHECKING:
    from perilune.compose.demo import Demo

_LAST_WORDS_S = 2.0  # for the error events of what did not end in time
_GC_THRESHOLDS = (20_000, 50, 50)
_SWITCH_S = 0.0005  # a thread that writes or counts lets the loop go on after this long
Ready = Callable[[ReadyFacts], None]


class Host:
    """The address: requests go to whichever stack runs behind it, the demo's or the user's."""

    def __init__(self, bench: Workbench, options: UpOptions, hub: Hub) -> None:
        self._bench = bench
        self._options = options
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self.listen = ""
        self.demo: Demo | None = None
        self.stack: Stack | None = None
        self._draining: asyncio.Task[bool] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.stack is None:
            raise RuntimeError("nothing runs behind this address yet")
        await self.stack.asgi(scope, receive, send)

    def lane(self) -> FastLane | None:
        """The fast lane of whatever runs."""
        return None if self.stack is None else self.stack.lane

    async def start(self) -> None:
        """The user's stack; with no account, or when a demo is asked for, the demo's."""
        if self._options.is_demo:
            await self._start_demo(wants_key=False)
        elif self._bench.configuration().config.accounts:
            await self._start_own()
        else:
            await self._start_demo(wants_key=True)

    async def stop(self, drain_s: float) -> None:
        """End what runs."""
        if self.demo is not None:
            await self.demo.stop()
        elif self.stack is not None:
            await self.stack.stop(drain_s)

    def begin_to_drain(self) -> None:
        """Take nothing new; what runs may end, and is told so with an error event when its time is over."""
        if self.stack is not None:
            drain = self.stack.engine.gateway.core.drain(self.drain_s())
            self._draining = self._loop.create_task(drain)

    def drain_s(self) -> float:
        """How long running answers may go on."""
        return 0 if self.stack is None else self.stack.engine.monitoring.config.gateway.drain_s

    async def _start_own(self) -> None:
        self.stack = Stack(self._bench, self._hub, listen=lambda: self.listen, token=self._options.token)
        await self.stack.start()

    async def _start_demo(self, *, wants_key: bool) -> None:
        from perilune.compose.demo import Demo

        add = self._add_first if wants_key else None
        self.demo = Demo(self._hub, listen=lambda: self.listen, token=self._options.token, add=add)
        self.stack = await self.demo.start()

    def _add_first(self, paste: str) -> AddedKey:
        """The first key ends the demo. Runs in a thread of its own."""
        from perilune.compose.adding import add_key

        added = add_key(self._bench, paste)
        if added.name is None:
            return AddedKey(problem=added.problem, removed=added.removed)
        switching = asyncio.run_coroutine_threadsafe(self._leave_demo(added.name), self._loop)
        account = switching.result()
        return AddedKey(account=account, removed=added.removed)

    async def _leave_demo(self, name: str) -> AccountDocument:
        from perilune.core.messages import Voice

        demo, self.demo = self.demo, None
        await self._start_own()
        if demo is not None:
            self._loop.create_task(demo.stop())
        stack = self.stack
        if stack is None:
            raise RuntimeError("the stack has just been started")
        await stack.read_when_due(name)
        status = await asyncio.to_thread(stack.engine.monitoring.status, (name,), Voice(now=self._bench.now()))
        self._hub.publish("status")
        return status.accounts[0]


def up(bench: Workbench, options: UpOptions, ready: Ready, before: Callable[[str], None]) -> int:
    """Serve until stopped and return the exit status.

    Raises: PL-PORT, PL-LISTEN, PL-USAGE, and what configuration or store cannot do.
    """
    address = parse_listen(options.listen or bench.configuration().config.gateway.listen)
    if not address.is_loopback:
        if options.token is None:
            raise UsageError.of("PL-LISTEN", address=str(address))
        before(str(address))
    listener = bind(address)
    try:
        with service_log(bench.paths.log_file), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(bench, options, address, listener, ready))
    finally:
        listener.close()
    return 0


async def _serve(
    bench: Workbench, options: UpOptions, address: ListenAddress, listener: socket.socket, ready: Ready
) -> None:
    hub = Hub()
    host = Host(bench, options, hub)
    bound = ListenAddress(address.host, listener.getsockname()[1])
    host.listen = str(bound)
    await host.start()

    async def answers() -> None:
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        sys.setswitchinterval(_SWITCH_S)
        ready(_facts(host, bound))

    def stopping() -> None:
        hub.close()
        host.begin_to_drain()

    try:
        await serve(
            host, listener, lane=host.lane, ready=answers, stopping=stopping, drain_s=host.drain_s() + _LAST_WORDS_S
        )
    finally:
        hub.close()
        await host.stop(host.drain_s())


def _facts(host: Host, address: ListenAddress) -> ReadyFacts:
    stack = host.stack
    if stack is None:
        raise RuntimeError("the host has started")
    config = stack.engine.monitoring.config
    routes = stack.engine.gateway.core.setup.routes.all
    plans = stack.bench.plans
    personal = [one for one in config.accounts if plans[one.plan].personal_use] if not address.is_loopback else []
    return ReadyFacts(
        version=__version__,
        url=f"http://{address}",
        is_local=address.is_loopback,
        is_demo=host.demo is not None,
        wants_key=host.demo is not None and host.demo.wants_key,
        accounts=len(config.accounts),
        interval_s=config.monitor.interval_s,
        hooks=hook_paths(config),
        routes=tuple(
            RouteFacts(
                route.name,
                tuple(slot.account for slot in route.slots),
                tuple(stack.engine.admission.state(slot.group).cap for slot in route.slots),
            )
            for route in routes
        ),
        personal=tuple((account.name, plans[account.plan].label) for account in personal),
    )


def _loop_factory() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def hook_paths(config: Config) -> tuple[str, ...]:
    """Where webhooks are taken: of the kinds of forges that have a secret."""
    kinds = {one.forge for one in config.forges if one.webhook_secret or one.webhook_signing_token}
    return tuple(f"/hooks/{kind}" for kind in sorted(kinds))
