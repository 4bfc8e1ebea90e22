"""The stack: engine, monitor and pages over one home, running in one event loop."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from perilune.compose.alerting import Alerting
from perilune.compose.engine import Engine
from perilune.compose.histories import Housekeeping
from perilune.compose.lines import keep_line
from perilune.compose.live import LiveService
from perilune.compose.use import Use, saves_power
from perilune.compose.workbench import Workbench
from perilune.core.errors import PeriluneError, Problem
from perilune.core.messages import Voice
from perilune.core.secret import Secret
from perilune.faces.api.hooks import HookDesk, LateDesk
from perilune.faces.api.hub import Hub
from perilune.faces.api.ports import AddedKey
from perilune.faces.web.app import build_web
from perilune.monitor.collect import Collected
from perilune.monitor.counted import CountedCollector, ReadCounts
from perilune.monitor.refresh import refresh
from perilune.monitor.schedule import Schedule
from perilune.net.control import ControlClient
from perilune.net.server import FastLane
from perilune.quota.document import StatusDocument

if TYPE_CHECKING:
    from perilune.compose.reviewing_share import ReviewingShare

_LOOK_AT_CONFIG_S = 1.0
_log = logging.getLogger(__name__)


class Stack:
    """Everything `perilune up` runs for one home. Start it inside a loop; stop it in the end."""

    def __init__(
        self,
        bench: Workbench,
        hub: Hub,
        *,
        listen: Callable[[], str],
        token: Secret | None = None,
        is_demo: bool = False,
        wants_key: bool = False,
        add: Callable[[str], AddedKey] | None = None,
    ) -> None:
        self.bench = bench
        self.hub = hub
        self.config_problem: Problem | None = None
        self._schedule_task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reviewing: ReviewingShare | None = None
        self._config_seen = self._config_stamp()
        self._looking = asyncio.Lock()
        self._wish_seen = _modified_at(bench.paths.wish_file)
        self._loop = asyncio.get_running_loop()
        self.live = LiveService(
            self,
            listen=listen,
            is_demo=is_demo,
            wants_key=wants_key,
            add_key=add or self._add,
        )
        web = build_web(self.live, hub, token.reveal() if token is not None else None, LateDesk(self._hook_desk))
        self.engine: Engine = Engine(
            bench,
            bench.monitoring_now(),
            publish=self._published,
            nudge=self._nudge,
            fallback=web,
            token=token,
            listen=listen(),
        )
        self._client: ControlClient = bench.control_client()
        self.alerting = Alerting(self.engine, self._client, self._loop)
        self.read_counts = ReadCounts()
        self._collector = CountedCollector(
            self.engine.snapshots,
            self._client,
            clock=bench.now,
            owner=f"service-{os.getpid()}",
            publish=self._account_changed,
        ).counting(self.read_counts)
        self._use = Use(self._served_at, lambda: hub.listeners, bench.now, saves_power)
        self._schedule = self._new_schedule()
        hub.opened = self._screen_opened

    @property
    def asgi(self) -> ASGIApp:
        """The gateway in front, pages behind."""
        return self.engine.gateway.asgi

    @property
    def lane(self) -> FastLane | None:
        """What is asked first about each request."""
        return self.engine.gateway.lane

    async def start(self) -> None:
        """Begin to read accounts and to look after the configuration."""
        await self._look()
        self._schedule_task = asyncio.create_task(self._read_for_good())
        self._keep(self._watch_config())
        self._keep(self.engine.sharing.run())
        self._keep(Housekeeping(self.engine.store, self.bench, lambda: self.engine.monitoring.config.history).run())
        if self.engine.monitoring.config.forges:
            self._share_in_reviews()
        self._keep(self.alerting.run())

    async def stop(self, drain_s: float) -> None:
        """End everything; running answers get `drain_s` seconds."""
        for task in [*self._tasks, *([self._schedule_task] if self._schedule_task else [])]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.engine.close(drain_s)
        await self._client.aclose()

    async def reload(self) -> None:
        """Take over the configuration as it is now. Raises: ConfigError, and everything stays as it was."""
        monitoring = await asyncio.to_thread(self.bench.monitoring_now, self.engine.store)
        self.engine.reload(monitoring)
        self.alerting.reload()
        self.config_problem = None
        if self._schedule_task is not None:
            self._schedule_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._schedule_task
        self._schedule = self._new_schedule()
        self._schedule_task = asyncio.create_task(self._read_for_good())
        self.hub.publish("status")

    async def read(self, account: str | None) -> dict[str, Collected]:
        """Read one account, or all, now."""
        targets = self.engine.monitoring.targets((account,) if account else ())
        return await refresh(targets, self._collector, is_forced=True, with_profile=True)

    async def read_when_due(self, account: str) -> None:
        """Read an account unless that has just been done; either way, everybody here takes over what is known of it."""
        if await asyncio.to_thread(self.engine.monitoring.needing, (account,)):
            await self.read(account)
        else:
            await self._account_changed("account", account)

    def _new_schedule(self) -> Schedule:
        return Schedule(self._collector, self.engine.snapshots, clock=self.bench.now, activity=self._use.activity)

    async def _read_for_good(self) -> None:
        if self.engine.monitoring.config.accounts:
            await asyncio.to_thread(self._client.open)  # imports a library: not in the way of the first answers
            await self._schedule.run(self.engine.monitoring.targets())

    async def _account_changed(self, kind: str, account: str) -> None:
        await asyncio.to_thread(self._load_board)
        snapshot = self.engine.board.snapshot(account)
        now = self.bench.now()
        if snapshot is not None:
            self.engine.gateway.core.observed(snapshot, self.engine.group_of(account), now)
        await self._look()
        self.hub.publish("status")

    def _load_board(self) -> None:
        held = self.engine.monitoring.held()
        self._loop.call_soon_threadsafe(self.engine.learn_of, held)

    async def _look(self) -> None:
        if not self.engine.monitoring.config.accounts:
            return
        async with self._looking:  # one after the other, so that an older picture never replaces a newer one
            now = self.bench.now()
            status = await asyncio.to_thread(self.engine.monitoring.status, (), Voice(now=now))
            await asyncio.to_thread(self._keep_line, status)
            self.alerting.look()

    def _keep_line(self, status: StatusDocument) -> None:
        """What status lines show, kept fresh by this process."""
        try:
            keep_line(status, self.bench.paths, self.engine.monitoring.config, self.bench.plans, os.getpid())
        except OSError as error:
            _log.warning("status lines are not told of changes: %s", error.strerror)

    def _served_at(self, account: str) -> datetime | None:
        return self.engine.ledger.served_at.get(account)

    def _screen_opened(self) -> None:
        """Somebody looks: accounts that were read seldom are due earlier."""
        self._use.seen()
        self._schedule.reconsider()

    def _published(self, event: str) -> None:
        if self.hub.listeners:
            self._loop.call_soon_threadsafe(self.hub.publish, event)

    def _nudge(self, account: str) -> None:
        self._schedule.nudge(account)
        self._keep(self._soon())

    async def _soon(self) -> None:
        await self._look()
        self.hub.publish("status")

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _log.error("a task of the service ended by a fault of ours", exc_info=fault)

    def _hook_desk(self) -> HookDesk:
        return self._share_in_reviews().desk

    def _share_in_reviews(self) -> "ReviewingShare":
        """The worker of review jobs with its desk, from the first forge on."""
        if self._reviewing is None:
            from perilune.compose.reviewing_share import ReviewingShare

            self._reviewing = ReviewingShare(self.engine, self._keep)
        return self._reviewing

    def _config_stamp(self) -> tuple[tuple[str, int, int], ...]:
        """What changes with the configuration file and with every key that is put into the vault."""
        paths = self.bench.paths
        with contextlib.suppress(OSError):
            return stamps((paths.config_file, *sorted(paths.vault_folder.glob("*"))))
        return stamps((paths.config_file,))

    async def _watch_config(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_CONFIG_S)
            await self._answer_wish()
            stamp = self._config_stamp()
            if stamp == self._config_seen:
                continue
            self._config_seen = stamp
            try:
                await self.reload()
            except PeriluneError as error:
                _log.warning("the configuration stays as it was: %s", error.problem.code)
                self.config_problem = error.problem
                self.hub.publish("gateway")

    async def _answer_wish(self) -> None:
        """A status line found its figures stale: read what is due, as a screen that was opened would ask for."""
        stamp = _modified_at(self.bench.paths.wish_file)
        if stamp == self._wish_seen or not self.engine.monitoring.config.accounts:
            return
        self._wish_seen = stamp
        for account in await asyncio.to_thread(self.engine.monitoring.needing, ()):
            self._schedule.nudge(account)

    def _add(self, paste: str) -> AddedKey:
        """Try and save a pasted key and show its account. Runs in a thread of its own."""
        from perilune.compose.adding import add_key

        added = add_key(self.bench, paste)
        if added.name is None:
            return AddedKey(problem=added.problem, removed=added.removed)
        asyncio.run_coroutine_threadsafe(self._welcome(added.name), self._loop).result()
        status = self.engine.monitoring.status((added.name,), Voice(now=self.bench.now()))
        return AddedKey(account=status.accounts[0], removed=added.removed)

    async def _welcome(self, account: str) -> None:
        self._config_seen = self._config_stamp()
        await self.reload()
        await self.read_when_due(account)


def stamps(files: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of the files that are there."""
    found = []
    for file in files:
        with contextlib.suppress(OSError):
            at = file.stat()
            found.append((file.name, at.st_mtime_ns, at.st_size))
    return tuple(found)


def _modified_at(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None
