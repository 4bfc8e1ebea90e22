"""What stands behind the queue: places of a group, shared by every process that talks to the vendor."""

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

OnFailure = Literal["divide", "closed", "open"]
Keeper = Literal["locks", "rows", "redis", "memory"]


class Places(Protocol):
    """Numbered places of account groups; each live lease occupies one, in whichever process it lives.

    `kept_by` names the kind of backend. `is_instant` says that calls return within microseconds and may be made on the
    event loop; the others are made from one thread of their own.
    """

    is_instant: bool
    kept_by: Keeper

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

    def others_wait(self, group: str) -> int:
        """How many other processes wait."""
        ...

    def wake_one(self, group: str) -> bool:
        """Wake one other process that waits; False when none does."""
        ...


@runtime_checkable
class SlowNeighbours(Protocol):
    """The same for backends that take time to answer: no waking, only knowing."""

    def may_hand_over(self) -> bool:
        """Whether a place of this process may go to its next in line without the backend being asked."""
        ...

    def others_wait(self, group: str) -> int:
        """Say that this process waits for a place, and hear how many others do."""
        ...


@runtime_checkable
class MayLose(Protocol):
    """Backends whose leases run out when their process sleeps too long."""

    lost: Callable[[str, int], None] | None
    """Called from a thread of the backend with group and place of a lease that somebody else may have now."""


@runtime_checkable
class Troubled(Protocol):
    """Backends that can be out of reach."""

    hosts: int
    """How many hosts share the places, as far as is known."""

    @property
    def trouble(self) -> OnFailure | None:
        """What is done instead while the backend cannot be asked; None while all is well."""
        ...


@runtime_checkable
class Waking(Protocol):
    """Backends that tell a waiting process of a place that came free elsewhere."""

    woken: Callable[[str], None] | None
    """Called from a thread of the backend with the group whose place came free."""
