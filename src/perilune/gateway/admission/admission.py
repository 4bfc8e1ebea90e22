"""Admission: one lease per request in flight, never more than an account group's cap over all processes."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from perilune.gateway.admission.group import Group, GroupState, Rules
from perilune.gateway.admission.learning import CapLearner, LearnedCap
from perilune.gateway.admission.lease import Lease, Refused, Ticket
from perilune.gateway.admission.port import MayLose, Places, Waking
from perilune.gateway.admission.queue import Priority
from perilune.gateway.admission.threaded import ThreadedGroup


class Admission:
    """The door to every account group. Belongs to one event loop; the places behind it are shared by processes.

    `on_learned` hears of each number that a refusal named: group, value, and for how many seconds it is believed.
    """

    def __init__(
        self,
        places: Places,
        rules: Rules | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_learned: Callable[[str, int, float], None] | None = None,
    ) -> None:
        self._places = places
        self._rules = rules or Rules()
        self._clock = clock
        self._on_learned = on_learned
        self._groups: dict[str, Group] = {}
        self._executor = None if places.is_instant else ThreadPoolExecutor(1, "perilune-places")
        if isinstance(places, MayLose):
            self._loop = asyncio.get_running_loop()
            places.lost = self._lost_elsewhere
        if isinstance(places, Waking):
            places.woken = self._woken_from_elsewhere

    @property
    def backend(self) -> Places:
        """What keeps the places."""
        return self._places

    async def acquire(
        self,
        group: str,
        owner: str = "local",
        priority: Priority = Priority.INTERACTIVE,
        deadline_s: float | None = 60.0,
        *,
        at_head: bool = False,
    ) -> Lease | Refused:
        """A lease, at once when one is free, else after waiting in the group's line.

        Cancelling the caller leaves the line at once and loses no lease.
        """
        lease = self._group(group).try_take(owner, priority)
        if lease is not None:
            return lease
        ticket = self.join(group, owner, priority, deadline_s, at_head=at_head)
        if isinstance(ticket, Refused):
            return ticket
        try:
            answer = await ticket.wait()
        finally:
            ticket.leave()
        assert answer is not None  # noqa: S101 wait without a timeout ends with an answer
        return answer

    async def try_acquire(
        self, group: str, owner: str = "local", priority: Priority = Priority.INTERACTIVE
    ) -> Lease | None:
        """A lease if one is free now; nobody who waits is overtaken."""
        found = self._group(group)
        if isinstance(found, ThreadedGroup):
            return await found.take_soon(owner, priority)
        return found.try_take(owner, priority)

    def take_now(self, group: str, owner: str, priority: Priority) -> Lease | None:
        """As `try_acquire`, for a caller that cannot wait at all; None too where the places take time to answer."""
        found = self._group(group)
        return None if isinstance(found, ThreadedGroup) else found.try_take(owner, priority)

    def join(
        self,
        group: str,
        owner: str = "local",
        priority: Priority = Priority.INTERACTIVE,
        deadline_s: float | None = 60.0,
        *,
        at_head: bool = False,
    ) -> Ticket | Refused:
        """A place in the line for a caller that looks elsewhere meanwhile; it must `leave` the ticket in the end."""
        return self._group(group).join(owner, priority, deadline_s, at_head=at_head)

    def configure(self, group: str, cap: int | None) -> None:
        """Set the user's cap of a group, live; the line is kept."""
        self.learn(group, lambda learner: learner.configure(cap))

    def learn(self, group: str, lesson: Callable[[CapLearner], object]) -> None:
        """Let the group's learner take in something, and serve the line by the cap that comes of it."""
        found = self._group(group)
        before = found.learner.cap(self._clock())
        lesson(found.learner)
        if found.learner.cap(self._clock()) != before:
            found.cap_changed()

    def refused(self, group: str, limit: int | None = None) -> None:
        """The vendor refused a request for concurrency, naming its limit or not. Called before the lease ends."""
        in_flight, now_s = len(self._group(group).held), self._clock()
        if limit is None:
            self.learn(group, lambda learner: learner.refused(in_flight, now_s))
        else:
            self.learn(group, lambda learner: learner.refused_naming(limit, in_flight, now_s))
            kept = self._group(group).learner.remembered()
            if kept is not None and self._on_learned is not None:
                self._on_learned(group, kept.value, kept.until_s - now_s)

    def succeeded(self, group: str) -> None:
        """The vendor answered a request."""
        found = self._group(group)
        if found.learner.found is not None and found.learner.succeeded(self._clock()):
            found.cap_changed()

    def merge(self, group: str, into: str) -> None:
        """Two names turned out to be one organisation or membership: one cap from now on, for both."""
        old, new = self._group(group), self._group(into)
        if old is not new:
            new.absorb(old)

    def in_flight(self, group: str) -> int:
        """This process's live leases of a group: cheap, for the hot path."""
        return len(self._group(group).held)

    def cap(self, group: str) -> int | None:
        """The cap of a group now; None is unlimited."""
        return self._group(group).learner.cap(self._clock())

    def recall(self, group: str, value: int, for_s: float) -> None:
        """Believe a number that a refusal named before a restart, for the rest of its time."""
        self.learn(group, lambda learner: learner.recall(LearnedCap(value, self._clock() + for_s)))

    def state(self, group: str) -> GroupState:
        """One group as it is now."""
        return self._group(group).state()

    def states(self) -> list[GroupState]:
        """Every group that was ever asked for and has not become part of another."""
        return [group.state() for group in self._groups.values() if group.root() is group]

    def stop(self) -> None:
        """Serve nobody any more who waits or comes; what is live goes on."""
        for group in self._groups.values():
            group.stop()

    def close(self) -> None:
        """Refuse all who wait and free all places."""
        for group in self._groups.values():
            group.close()
        if self._executor is not None:
            self._executor.shutdown(wait=True)
        self._places.close()

    def lost(self, group: str, place: int) -> None:
        """A backend gave a place of ours to somebody else: the lease on it is marked. Called on the loop."""
        found = self._groups.get(group)
        if isinstance(found, ThreadedGroup):
            found.lose(place)

    def _lost_elsewhere(self, group: str, place: int) -> None:
        """As `lost`, from a thread of the backend."""
        with suppress(RuntimeError):  # the loop has ended, and what it held with it
            self._loop.call_soon_threadsafe(self.lost, group, place)

    def _woken_from_elsewhere(self, group: str) -> None:
        found = self._groups.get(group)
        if isinstance(found, ThreadedGroup):
            with suppress(RuntimeError):  # as above
                self._loop.call_soon_threadsafe(found.woken)

    def _group(self, name: str) -> Group:
        group = self._groups.get(name)
        if group is None:
            if self._executor is None:
                group = Group(name, self._places, self._rules, self._clock)
            else:
                group = ThreadedGroup(name, self._places, self._rules, self._clock, self._executor)
            self._groups[name] = group
        return group if group._into is None else group.root()
