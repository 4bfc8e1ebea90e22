"""The service's own reading: every account at its interval, after its resets, and when the gateway asks for it."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from perilune.core.errors import StoreError
from perilune.monitor.collect import Collected, Collector
from perilune.monitor.interval import WEB_S, Activity, interval_s
from perilune.monitor.target import Target
from perilune.quota.snapshot import Snapshot
from perilune.store.snapshots import ReadState, Snapshots

_AT_ONCE, _PER_HOST = 4, 2
_AFTER_RESET = timedelta(seconds=30)
_RESET_JITTER_S = 15.0
_LEAST_AWAY = timedelta(seconds=5)
_RESETS_REMEMBERED = 64
_NUDGE_REST = timedelta(seconds=30)
_AFTER_FAULT_S = 60.0
_LENT_SHARE = 0.8
_log = logging.getLogger(__name__)

Wait = Callable[[asyncio.Event, float], Awaitable[None]]


async def wait_or_timeout(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set, or after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


class Due(Struct, frozen=True):
    """When an account is read next.

    Shape: what any process tried from `counts_from` on counts as that read, and so does what an account of the same
    identity read from `lends_from` on.
    """

    at: datetime
    counts_from: datetime
    lends_from: datetime
    interval_s: int


class Schedule:
    """Reads targets in the background until it is cancelled."""

    def __init__(
        self,
        collector: Collector,
        snapshots: Snapshots,
        *,
        clock: Callable[[], datetime],
        activity: Callable[[str], Activity] = lambda account: Activity(),
        wait: Wait = wait_or_timeout,
        spread: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._collector = collector
        self._snapshots = snapshots
        self._clock = clock
        self._activity = activity
        self._wait = wait
        self._spread = spread
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._per_host: dict[str, asyncio.Semaphore] = {}
        self._wanted: dict[str, asyncio.Event] = {}
        self._reconsidered: set[str] = set()
        self._nudged_at: dict[str, datetime] = {}
        self._resets_read: deque[tuple[str, str, datetime]] = deque(maxlen=_RESETS_REMEMBERED)

    async def run(self, targets: Sequence[Target]) -> None:
        """Read `targets` for good. Cancelling ends all reads and gives their flights back."""
        async with asyncio.TaskGroup() as group:
            for target in targets:
                self._wanted[target.name] = asyncio.Event()
                self._per_host.setdefault(target.host, asyncio.Semaphore(_PER_HOST))
                group.create_task(self._keep_reading(target))

    def nudge(self, account: str) -> bool:
        """Ask for one read now, after a refusal; at most one in 30 seconds. False when it was not taken."""
        now, last = self._clock(), self._nudged_at.get(account)
        if account not in self._wanted or (last is not None and now - last < _NUDGE_REST):
            return False
        self._nudged_at[account] = now
        self._reconsidered.discard(account)
        self._wanted[account].set()
        return True

    def reconsider(self) -> None:
        """Look at the use of all accounts again: what is read seldom may be due by now."""
        for account, wanted in self._wanted.items():
            if not wanted.is_set():
                self._reconsidered.add(account)
                wanted.set()

    async def _keep_reading(self, target: Target) -> None:
        wanted = self._wanted[target.name]
        while True:
            try:
                due = await asyncio.to_thread(self._due, target)
                await self._wait(wanted, max((due.at - self._clock()).total_seconds(), 0))
                is_nudged = wanted.is_set()
                wanted.clear()
                if target.name in self._reconsidered:
                    self._reconsidered.discard(target.name)
                    continue
                await self._read(target, due, is_nudged=is_nudged)
            except StoreError as error:
                _log.warning("reading %s waits for the store: %s", target.name, error.problem.code)
                await self._wait(wanted, _AFTER_FAULT_S)
            except Exception:  # noqa: BLE001 - the loop boundary of one account: a fault of ours must not end its reading
                _log.warning("reading %s met a fault of ours", target.name, exc_info=True)
                await self._wait(wanted, _AFTER_FAULT_S)

    async def _read(self, target: Target, due: Due, *, is_nudged: bool) -> Collected:
        async with self._at_once, self._per_host[target.host]:
            now, none = self._clock(), timedelta(0)
            rest, lent = max(now - due.counts_from, none), max(now - due.lends_from, none)
            return await self._collector.collect(
                target,
                with_profile=True,
                rest=none if is_nudged else rest,
                lent=none if is_nudged else lent,
                interval=timedelta(seconds=due.interval_s),
            )

    def _due(self, target: Target) -> Due:
        now = self._clock()
        state = self._snapshots.reads().get(target.name)
        snapshot = self._snapshots.latest().get(target.name)
        seconds = interval_s(target.poll_interval_s, self._activity(target.name), now)
        if snapshot is not None and snapshot.source == "web-session":
            seconds = max(seconds, WEB_S)
        if state is None:
            return Due(now, now - _LEAST_AWAY, now - _LEAST_AWAY, seconds)
        regular = self._regular(state, now, seconds)
        boundary = None if snapshot is None or state.failure else self._boundary(snapshot, now, regular, seconds)
        span = regular - state.tried_at
        return boundary or Due(regular, regular - span / 2, regular - span * _LENT_SHARE, seconds)

    def _regular(self, state: ReadState, now: datetime, seconds: int) -> datetime:
        if state.failure is not None and state.next_at is not None:
            return max(state.next_at, now + _LEAST_AWAY)
        return state.tried_at + timedelta(seconds=seconds * self._spread(0.9, 1.1))

    def _boundary(self, snapshot: Snapshot, now: datetime, regular: datetime, seconds: int) -> Due | None:
        """The read after a reset, when it is earlier than the next regular one; each reset once."""
        for window in snapshot.windows:
            if window.resets_at is None:
                continue
            skew = timedelta(seconds=snapshot.clock_skew_s)
            first = window.resets_at - skew + _AFTER_RESET
            at = first + timedelta(seconds=self._spread(0, _RESET_JITTER_S))
            key = (snapshot.account, window.id, window.resets_at)
            if key not in self._resets_read and now + _LEAST_AWAY <= at < regular:
                self._resets_read.append(key)
                return Due(at, first, first, seconds)
        return None
