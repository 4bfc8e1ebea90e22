"""Reading one account: one flight over all processes, the last good kept, failures counted, waits respected."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from perilune.core.errors import CredentialError, Problem
from perilune.monitor.lending import lender, lent, shares
from perilune.monitor.sources import OpenedSource, credential_of, fingerprint_of, open_sources, read_sources
from perilune.monitor.target import Target
from perilune.monitor.waiting import failure_of, is_hopeless, is_told_to_wait
from perilune.net.control import ControlClient
from perilune.providers.contract.reading import Reader, reader_of
from perilune.providers.contract.registry import plan as plan_of
from perilune.quota.resets import back_filled
from perilune.quota.snapshot import ReadFailure, Snapshot
from perilune.store.snapshots import Snapshots

Publish = Callable[[str, str], Awaitable[None]]
Outcome = Literal["read", "failed", "waiting", "refused", "shared", "busy", "unreadable"]

_FLIGHT_LASTS = timedelta(seconds=15)
_SHARED_WAIT_S = 8.0
_LOOK_EVERY_S = 0.1
_JUST_READ = timedelta(seconds=20)
_PROFILE_EVERY = timedelta(days=1)
_log = logging.getLogger(__name__)


class Collected(Struct, frozen=True, kw_only=True):
    """What came of reading an account.

    Shape: `read` and `failed` asked the vendor; `waiting` respects a wait the vendor asked for; `refused` would only
    repeat a refusal; `shared` another process has just read it; `busy` it is still at it; `unreadable` has no reading
    side. `problem` is what failed.
    """

    account: str
    outcome: Outcome
    snapshot: Snapshot | None = None
    problem: Problem | None = None


class _Trial(Struct, frozen=True, kw_only=True):
    """What one read starts with: the sources as they were opened, and how the last read failed."""

    opened: list[OpenedSource]
    reader: Reader
    credential: str
    failure: ReadFailure | None
    is_forced: bool
    interval: timedelta

    @property
    def refused(self) -> str | None:
        """The credential that was refused twice and is not asked again; None for a read that was asked for."""
        known = self.failure.credential if self.failure else None
        return known if known and not self.is_forced and is_hopeless(self.failure, known) else None


async def no_audience(kind: str, account: str) -> None:
    """Publishes to nobody."""


class Collector:
    """Reads accounts and keeps what they answered. `publish` is told `("account", name)` after every change."""

    def __init__(
        self,
        snapshots: Snapshots,
        client: ControlClient,
        *,
        clock: Callable[[], datetime],
        owner: str,
        publish: Publish = no_audience,
    ) -> None:
        self._snapshots = snapshots
        self._client = client
        self._clock = clock
        self._owner = owner
        self._publish = publish

    async def collect(
        self,
        target: Target,
        *,
        is_forced: bool = False,
        with_profile: bool = False,
        rest: timedelta = timedelta(0),
        interval: timedelta | None = None,
        lent: timedelta = timedelta(0),
    ) -> Collected:
        """Read one account. Never raises what a vendor or a network can do; a forced read ignores an earlier refusal.

        `with_profile` adds the calls made once a day, when they are due. What another process tried within `rest` is
        taken as it is, and what an account of the same identity read within `rest` or `lent`. `interval` is in force.
        """
        reader = reader_of(target.known.plan)
        if reader is None:
            return Collected(account=target.name, outcome="unreadable")
        now = self._clock()
        state = (await asyncio.to_thread(self._snapshots.reads)).get(target.name)
        failure = state.failure if state else None
        if is_told_to_wait(failure, now):
            return Collected(account=target.name, outcome="waiting")
        try:
            opened = await asyncio.to_thread(open_sources, target)
        except CredentialError as error:
            return await self._failed(target, error.problem, failure, "")
        credential = credential_of(opened)
        if not is_forced and is_hopeless(failure, credential) and not any(one.option.is_late for one in opened):
            return Collected(account=target.name, outcome="refused")
        every = interval or timedelta(seconds=target.poll_interval_s)
        trial = _Trial(
            opened=opened, reader=reader, credential=credential, failure=failure, is_forced=is_forced, interval=every
        )
        identity = None if is_forced else shares(target, await self._last(target), failure, now)
        flight = target.name if identity is None else f"identity:{identity}"
        if not await asyncio.to_thread(self._snapshots.take_flight, flight, self._owner, now, _FLIGHT_LASTS):
            return await self._shared(target, flight, every)
        try:
            latest = (await asyncio.to_thread(self._snapshots.reads)).get(target.name)
            if latest is not None and now - latest.tried_at < rest:
                return Collected(account=target.name, outcome="shared", snapshot=await self._last(target))
            borrowed = None if identity is None else await self._borrowed(target, max(rest, lent), every)
            return borrowed or await self._read(target, trial, with_profile=with_profile)
        finally:
            await asyncio.shield(asyncio.to_thread(self._snapshots.land, flight, self._owner))

    async def give_up(self, target: Target, limit_s: float) -> Collected:
        """Note that an account did not answer in the time that whoever asked had."""
        state = (await asyncio.to_thread(self._snapshots.reads)).get(target.name)
        facts = {"host": target.host, "seconds": f"{limit_s:g}"}
        problem = Problem(code="PL-NET-TIMEOUT", facts=facts, account=target.name)
        return await self._failed(target, problem, state.failure if state else None, "")

    async def _read(self, target: Target, trial: _Trial, *, with_profile: bool) -> Collected:
        previous = await self._last(target)
        now = self._clock()
        read = await read_sources(
            target,
            trial.opened,
            trial.reader,
            self._client,
            now,
            previous,
            refused=trial.refused,
            is_forced=trial.is_forced,
        )
        if read.snapshot is None or read.binding is None:
            credential = read.refused or trial.credential
            problem = read.problem or Problem(code="PL-CRED-NONE", account=target.name)
            problem = await self._explained(problem, target, credential)
            return await self._failed(target, problem, trial.failure, credential)
        snapshot = back_filled(read.snapshot, previous)
        poll_s = round(trial.interval.total_seconds())
        snapshot = msgspec.structs.replace(snapshot, credential=fingerprint_of(read.binding), poll_s=poll_s)
        await asyncio.to_thread(self._snapshots.save, snapshot, now, now + trial.interval)
        if with_profile and (snapshot.profile_at is None or now - snapshot.profile_at >= _PROFILE_EVERY):
            snapshot = await trial.reader.profile(read.binding, self._client, snapshot)
            await asyncio.to_thread(self._snapshots.amend, snapshot)
        if read.membership is not None:
            await self._failed(target, read.membership, trial.failure, trial.credential)
        elif trial.failure is not None:
            _log.info("%s is read again", target.name)
        await self._publish("account", target.name)
        return Collected(account=target.name, outcome="read", snapshot=snapshot)

    async def _explained(self, problem: Problem, target: Target, credential: str) -> Problem:
        """A refused key that another account of ours was accepted with belongs there."""
        if problem.code not in ("PL-401-KEY", "PL-401-HOST"):
            return problem
        others = (await asyncio.to_thread(self._snapshots.latest)).items()
        owner = next((s for name, s in others if name != target.name and s.credential == credential), None)
        plan = None if owner is None else plan_of(owner.plan)
        if owner is None or plan is None:
            return problem
        facts = {**problem.facts, "other": f"{plan.label} {owner.region} ({(owner.origin or '').partition('/')[0]})"}
        return msgspec.structs.replace(problem, code="PL-401-HOST", variant="", facts=facts)

    async def _failed(self, target: Target, problem: Problem, before: ReadFailure | None, credential: str) -> Collected:
        failure = failure_of(problem, target.name, before, self._clock(), credential)
        await asyncio.to_thread(self._snapshots.save_failure, failure, failure.retry_at)
        if before is None:
            _log.info("%s could not be read: %s", target.name, problem.code)
        await self._publish("account", target.name)
        return Collected(account=target.name, outcome="failed", problem=problem)

    async def _shared(self, target: Target, flight: str, interval: timedelta) -> Collected:
        """Wait for whoever is reading the account, or one of its identity, and take what it read."""
        for _ in range(round(_SHARED_WAIT_S / _LOOK_EVERY_S)):
            await asyncio.sleep(_LOOK_EVERY_S)
            if not await asyncio.to_thread(self._snapshots.is_flying, flight, self._clock()):
                borrowed = None if flight == target.name else await self._borrowed(target, _JUST_READ, interval)
                last = await self._last(target)
                return borrowed or Collected(account=target.name, outcome="shared", snapshot=last)
        return Collected(account=target.name, outcome="busy")

    async def _borrowed(self, target: Target, age: timedelta, interval: timedelta) -> Collected | None:
        """What an account of the same identity read not longer ago than `age`, kept as a reading of this one."""
        latest, now = await asyncio.to_thread(self._snapshots.latest), self._clock()
        previous = latest.get(target.name)
        reading = None if previous is None else lender(previous, latest, now, age)
        if previous is None or reading is None:
            return None
        snapshot = lent(reading, previous)
        await asyncio.to_thread(self._snapshots.save, snapshot, now, now + interval)
        await self._publish("account", target.name)
        return Collected(account=target.name, outcome="shared", snapshot=snapshot)

    async def _last(self, target: Target) -> Snapshot | None:
        return (await asyncio.to_thread(self._snapshots.latest)).get(target.name)
