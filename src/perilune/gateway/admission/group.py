"""One account group: its live leases, its line, its cap."""

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Literal

from msgspec import Struct

from perilune.gateway.admission.learning import CapLearner
from perilune.gateway.admission.lease import Lease, Refused, Ticket
from perilune.gateway.admission.port import Neighbours, Places, Troubled
from perilune.gateway.admission.queue import Priority, WaitingLine

UNLIMITED = 100_000
_RETRY_S = (0.005, 0.020)
KEPT_BEFORE_ONE_IS_LEFT = 9
_ALONE_FOR_S = 0.001
_OLD_NAME_KEPT_S = 60.0


class Rules(Struct, frozen=True, kw_only=True):
    """What holds for every line. `interactive_reserve` leases are never given to lower classes."""

    queue_max: int = 1000
    interactive_reserve: int = 2


class GroupState(Struct, frozen=True, kw_only=True):
    """One group as it is shown. `in_flight` is this process's, `in_flight_all` everyone's. Units: seconds."""

    group: str
    cap: int | None
    learned: int | None
    in_flight: int
    in_flight_all: int
    queued: int
    oldest_lease_age_s: float | None


class Group:
    """A group whose places answer at once. Belongs to one event loop."""

    def __init__(self, name: str, places: Places, rules: Rules, clock: Callable[[], float]) -> None:
        self.name = name
        self.learner = CapLearner()
        self.held: dict[Lease, None] = {}
        self.line: WaitingLine[Ticket] = WaitingLine()
        self._places = places
        self._neighbours = places if isinstance(places, Neighbours) else None
        self._rules = rules
        self._clock = clock
        self._holds: deque[float] = deque(maxlen=64)
        self._merged: list[tuple[Group, float]] = []
        self._into: Group | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._listening_on: int | None = None
        self._kept_in_a_row = 0
        self._alone_until_s = 0.0
        self._cap = UNLIMITED
        self._cap_until_s = 0.0
        self._is_stopping = False

    def try_take(self, owner: str, priority: Priority) -> Lease | None:
        """A lease when one is free and nobody of this class or a higher one waits for it."""
        if self.line and self.line.highest() <= priority:
            return None
        place = self._take_place(priority)
        return None if place is None else self._lease(owner, priority, place)

    def join(self, owner: str, priority: Priority, deadline_s: float | None, *, at_head: bool) -> Ticket | Refused:
        """Stand in the line, or be refused because it is full."""
        now_s = self._clock()
        if self._is_stopping:
            return self._refused("stopping", 0.0, 0)
        if len(self.line) >= self._rules.queue_max:
            return self._refused("full", 0.0, len(self.line))
        loop = asyncio.get_running_loop()
        ticket = Ticket(owner, priority, now_s, loop)
        timer = None if deadline_s is None else loop.call_later(deadline_s, self._expire, ticket)
        ticket.bind(self._leave, timer)
        self.line.join(ticket, priority, owner, at_head=at_head)
        self.serve(UNLIMITED if len(self.line) == 1 else 0)  # a place left free for a neighbour stays free
        return ticket

    def serve(self, most: int = UNLIMITED) -> None:
        """Hand free places to those who wait, at most `most` of them."""
        while most and self.line and self._serve_one():
            most -= 1
        self._look_again_later()

    def cap_changed(self) -> None:
        """Look at the cap anew; those who wait keep their places in the line."""
        self._cap_until_s = 0.0
        self.serve()

    def absorb(self, other: "Group") -> None:
        """Become one with another group: its line is joined to ours, its live leases lower our cap until they end."""
        other._into = self
        self._merged += [(other, self._clock()), *other._merged]
        other._merged = []
        self.learner.absorb(other.learner)
        for priority in Priority:
            while (ticket := other.line.next_of(priority)) is not None:
                ticket.bind(self._leave)
                self.line.join(ticket, priority, ticket.owner)
        other._look_again_later()
        self.cap_changed()

    def state(self) -> GroupState:
        """The group as it is now."""
        now_s = self._clock()
        oldest = next(iter(self.held), None)
        return GroupState(
            group=self.name,
            cap=self.learner.cap(now_s),
            learned=self.learner.learned,
            in_flight=len(self.held) + sum(len(old.held) for old, _ in self._merged),
            in_flight_all=self.in_flight_all() + self._held_under_old_names(),
            queued=len(self.line),
            oldest_lease_age_s=None if oldest is None else now_s - oldest.taken_s,
        )

    def root(self) -> "Group":
        """The group this one has become part of, itself when it has not."""
        return self if self._into is None else self._into.root()

    def in_flight_all(self) -> int:
        """Live leases of all processes."""
        return self._places.occupied(self.name)

    def stop(self) -> None:
        """Refuse everybody who waits, and whoever comes; live leases stay until they are released."""
        self._is_stopping = True
        for priority in Priority:
            while (ticket := self.line.next_of(priority)) is not None:
                if not ticket.is_answered:
                    ticket.answer(self._refused("stopping", self._clock() - ticket.joined_s, 0))

    def close(self) -> None:
        """As `stop`, and listen no more."""
        self.stop()
        if self._retry is not None:
            self._retry.cancel()
        if self._neighbours is not None:
            self._neighbours.withdraw(self.name)
        if self._listening_on is not None:
            asyncio.get_running_loop().remove_reader(self._listening_on)
            self._listening_on = None

    def _serve_one(self) -> bool:
        for priority in self.line.classes_in_order():
            place = self._take_place(priority)
            ticket = None if place is None else self.line.next_of(priority)
            if place is not None and ticket is not None:
                self._grant(ticket, place)
                return True
        return False

    def _grant(self, ticket: Ticket, place: int) -> None:
        lease = self._lease(ticket.owner, ticket.priority, place)
        lease.waited_s = lease.taken_s - ticket.joined_s
        ticket.answer(lease)

    def _lease(self, owner: str, priority: Priority, place: int) -> Lease:
        lease = Lease(self._released, self.name, owner, priority, place, self._clock())
        self.held[lease] = None
        return lease

    def _take_place(self, priority: Priority) -> int | None:
        cap, reserved = self._limits()
        if len(self.held) >= cap:
            return None
        return self._places.take(self.name, cap, reserved, may_use_reserved=priority is Priority.INTERACTIVE)

    def _limits(self) -> tuple[int, int]:
        now_s = self._clock()
        if now_s >= self._cap_until_s:
            cap = self.learner.cap(now_s)
            self._cap = UNLIMITED if cap is None else cap
            self._cap_until_s = now_s + 1.0
        cap = self._cap - self._held_under_old_names() if self._merged else self._cap
        return cap, min(self._rules.interactive_reserve, cap // 2)

    def _held_under_old_names(self) -> int:
        now_s = self._clock()
        counted = [(old, since_s, old.in_flight_all()) for old, since_s in self._merged]
        self._merged = [(old, since_s) for old, since_s, held in counted if held or now_s < since_s + _OLD_NAME_KEPT_S]
        return sum(held for _, _, held in counted)

    def _released(self, lease: Lease) -> None:
        now_s = self._clock()
        self.held.pop(lease, None)
        self._holds.append(now_s - lease.taken_s)
        self._free(lease.place, now_s)

    def _free(self, place: int, now_s: float) -> None:
        self._places.give_back(self.name, place)
        self._freed(now_s)

    def _freed(self, now_s: float) -> None:
        """Somebody may go now.

        Of ten places freed by a process with more than its share one goes to a neighbour that waits: none starves, and
        between equals none lies free on its way.
        """
        target = self if self._into is None else self.root()
        if not target.line:
            target._wake_neighbour(now_s)
            return
        target._kept_in_a_row += 1
        is_left = target._kept_in_a_row > KEPT_BEFORE_ONE_IS_LEFT and target._leave_one(now_s)
        target.serve(most=0 if is_left else 1)

    def _leave_one(self, now_s: float) -> bool:
        """Leave a freed place to a neighbour; False where none waits, or those that do have no claim to it."""
        self._kept_in_a_row = 0
        if self._neighbours is None or self._is_within_share(self._neighbours.others_wait(self.name)):
            return False
        return self._wake_neighbour(now_s)

    def _is_within_share(self, others: int) -> bool:
        """Whether this process had no more than its part of the cap before the place that is freed now."""
        return len(self.held) < self._cap // (others + 1)

    def _wake_neighbour(self, now_s: float) -> bool:
        """Wake one; when none waited a moment ago, none is looked for: they also look again by themselves."""
        if self._neighbours is None or now_s < self._alone_until_s:
            return False
        is_woken = self._neighbours.wake_one(self.name)
        if not is_woken:
            self._alone_until_s = now_s + _ALONE_FOR_S
        return is_woken

    def _look_again_later(self) -> None:
        """While others may hold what our line waits for: listen for them, and look again every few milliseconds."""
        waits = bool(self.line) and len(self.held) < self._cap
        if self._neighbours is not None:
            self._listen() if waits else self._neighbours.withdraw(self.name)
        if waits and self._retry is None and (self._neighbours is not None or self._merged):
            delay_s = random.uniform(*_RETRY_S)  # noqa: S311 spreads retries, keeps no secret
            self._retry = asyncio.get_running_loop().call_later(delay_s, self._look_again)

    def _look_again(self) -> None:
        self._retry = None
        self.serve()

    def _listen(self) -> None:
        if self._neighbours is None:
            return
        descriptor = self._neighbours.announce(self.name)
        if descriptor is not None and self._listening_on is None:
            self._listening_on = descriptor
            asyncio.get_running_loop().add_reader(descriptor, self._woken)

    def _woken(self) -> None:
        if self._neighbours is not None:
            self._neighbours.drain(self.name)
        self.serve()

    def _leave(self, ticket: Ticket) -> None:
        if self.line.leave(ticket, ticket.priority, ticket.owner):
            self._look_again_later()

    def _expire(self, ticket: Ticket) -> None:
        group = self.root()
        ahead = group.line.ahead_of(ticket, ticket.priority, ticket.owner)
        if group.line.leave(ticket, ticket.priority, ticket.owner):
            ticket.answer(group._refused("deadline", self._clock() - ticket.joined_s, ahead))
            group._look_again_later()

    def _refused(self, reason: Literal["full", "deadline", "stopping"], waited_s: float, ahead: int) -> Refused:
        cap, _ = self._limits()
        hold_s = median(self._holds) if self._holds else 0.0
        estimate = math.ceil(hold_s * (ahead + 1) / max(cap, 1))
        return Refused(
            reason=reason,
            retry_after_s=min(max(estimate, 1), 60),
            waited_s=waited_s,
            in_flight=len(self.held),
            cap=self.learner.cap(self._clock()),
            is_cut_off=isinstance(self._places, Troubled) and self._places.trouble == "closed",
        )
