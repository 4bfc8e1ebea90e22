"""The waiting line of one group: strict order of classes with a share for the lower ones, round robin over owners."""

from collections import OrderedDict
from enum import IntEnum
from typing import Generic, TypeVar

W = TypeVar("W")

_GRANTS_BEFORE_A_LOWER_CLASS = 9  # of every 10 grants a waiting lower class gets one


class Priority(IntEnum):
    """Who goes first. A header or a key may lower it, nothing may raise it."""

    INTERACTIVE = 0
    REVIEW = 1
    BATCH = 2


class WaitingLine(Generic[W]):
    """Waiters by class, then owner, then arrival. Pure: who may really go is decided outside."""

    def __init__(self) -> None:
        self._classes: dict[Priority, OrderedDict[str, OrderedDict[W, None]]] = {p: OrderedDict() for p in Priority}
        self._passed_over = dict.fromkeys(Priority, 0)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def join(self, waiter: W, priority: Priority, owner: str, *, at_head: bool = False) -> None:
        """Stand at the end of the owner's line, or before everyone of the class when sent back once."""
        owners = self._classes[priority]
        line = owners.setdefault(owner, OrderedDict())
        line[waiter] = None
        self._length += 1
        if at_head:
            line.move_to_end(waiter, last=False)
            owners.move_to_end(owner, last=False)

    def leave(self, waiter: W, priority: Priority, owner: str) -> bool:
        """Step out of the line; False when the waiter no longer stood there."""
        owners = self._classes[priority]
        line = owners.get(owner)
        if line is None or waiter not in line:
            return False
        del line[waiter]
        self._length -= 1
        if not line:
            del owners[owner]
        if not owners:
            self._passed_over[priority] = 0
        return True

    def highest(self) -> Priority:
        """The highest class of those who wait; the lowest there is when nobody does."""
        return next((priority for priority in Priority if self._classes[priority]), Priority.BATCH)

    def classes_in_order(self) -> list[Priority]:
        """The classes that wait, the one to be served next first."""
        waiting = [priority for priority in Priority if self._classes[priority]]
        due = [p for p in waiting if self._passed_over[p] >= _GRANTS_BEFORE_A_LOWER_CLASS]
        due.sort(key=lambda priority: -self._passed_over[priority])
        return due + [priority for priority in waiting if priority not in due]

    def next_of(self, priority: Priority) -> W | None:
        """Take the next waiter of a class out of the line; its owner goes to the end of the round."""
        owners = self._classes[priority]
        if not owners:
            return None
        owner, line = next(iter(owners.items()))
        waiter, _ = line.popitem(last=False)
        self._length -= 1
        owners.move_to_end(owner)
        if not line:
            del owners[owner]
        self._count_grant(priority)
        return waiter

    def ahead_of(self, waiter: W, priority: Priority, owner: str) -> int:
        """About how many stand before this waiter: higher classes, and its own by rounds over the owners."""
        higher = sum(len(line) for p in Priority if p < priority for line in self._classes[p].values())
        owners = self._classes[priority]
        own: list[W] = list(owners.get(owner, ()))
        rounds = own.index(waiter) if waiter in own else len(own)
        turn = list(owners).index(owner) if owner in owners else len(owners)
        return higher + sum(min(len(line), rounds + (at < turn)) for at, line in enumerate(owners.values()))

    def _count_grant(self, served: Priority) -> None:
        for priority in Priority:
            if priority > served and self._classes[priority]:
                self._passed_over[priority] += 1
        self._passed_over[served] = 0
