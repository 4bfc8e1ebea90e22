"""What stands behind the queue: places of a group, shared by every process that talks to the vendor."""

from typing import Protocol, runtime_checkable


class Places(Protocol):
    """Numbered places of account groups; each live lease occupies one, in whichever process it lives.

    `is_instant` says that calls return within microseconds and may be made on the event loop; the others are made from
    one thread of their own.
    """

    is_instant: bool

    def take(self, group: str, cap: int, reserved: int, *, may_use_reserved: bool) -> int | None:
        """A free place below `cap`, if fewer than `cap` are occupied in all; None when there is none.

        The `reserved` places below the cap are for those who may use them, and are what those get first.
        """
        ...

    def give_back(self, group: str, place: int) -> None:
        """Free a place taken by this process."""
        ...

    def occupied(self, group: str) -> int:
        """How many places are occupied now, in all processes."""
        ...

    def close(self) -> None:
        """Free everything this process holds."""
        ...


@runtime_checkable
class Neighbours(Protocol):
    """Other processes that wait for the same places, where the backend can tell."""

    def announce(self, group: str) -> int | None:
        """Say that this process waits. The descriptor, if any, becomes readable when a place may be free."""
        ...

    def drain(self, group: str) -> None:
        """Silence that descriptor."""
        ...

    def withdraw(self, group: str) -> None:
        """Say that this process waits no more."""
        ...

    def wake_one(self, group: str) -> bool:
        """Wake one other process that waits; False when none does."""
        ...


@runtime_checkable
class SlowNeighbours(Protocol):
    """The same for backends that take time to answer: no waking, only knowing."""

    def others_wait(self, group: str) -> bool:
        """Say that this process waits for a place, and hear whether another one does."""
        ...
