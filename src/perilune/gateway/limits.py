"""The clocks of one attempt: how long until its first byte, its next one, its end. Source: gateway reference 5.3."""

import asyncio
from typing import Protocol

from msgspec import Struct

from perilune.net.upstream import Clock


class Limits(Struct, kw_only=True):
    """The clocks of one attempt. Units: seconds; `…_at` on the loop's clock.

    Shape: `first_s` None keeps the attempt's time up to `until`, as the last usable slot gets it; `commit_at` is when
    the client stops waiting for its first byte.
    """

    connect_s: float
    first_s: float | None
    answer_s: float
    idle_s: float
    until: float
    commit_at: float


class Timed(Protocol):
    """Something that breaks when nothing comes in time."""

    def expect_within(self, seconds: float, clock: Clock) -> None:
        """The next byte must come within so many seconds from now."""
        ...


def expect_next(exchange: Timed, limits: Limits) -> None:
    """After the first content: silence may last the idle time, everything the total time."""
    exchange.expect_within(*next_limit(limits))


def next_limit(limits: Limits) -> tuple[float, Clock]:
    """How long the next silence may last, and which clock that is."""
    left = limits.until - asyncio.get_running_loop().time()
    return (max(left, 0), "total") if left < limits.idle_s else (limits.idle_s, "idle")


def first_limit(limits: Limits, began: float, *, is_stream: bool) -> tuple[float, Clock]:
    """How long until the first byte or content may take from now, and which clock that is."""
    now = asyncio.get_running_loop().time()
    total = min(limits.until, limits.commit_at) - now
    own = limits.first_s if is_stream else limits.answer_s
    if own is None or total < own - (now - began):
        return max(total, 0), "total"
    return max(own - (now - began), 0), "first" if is_stream else "answer"
