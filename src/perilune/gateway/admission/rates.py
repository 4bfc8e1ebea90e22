"""The second door, behind the lease: requests and tokens a minute of an account group. Empty until a rate is known."""

import asyncio
import time
from collections.abc import Callable

from perilune.gateway.admission.buckets import RateLine, RequestRate, TokenBucket


class Debit:
    """What one admitted request has reserved. Settled once, by its real use or as unbilled."""

    __slots__ = ("_gate", "tokens")

    def __init__(self, gate: "RateGate", tokens: int) -> None:
        self._gate: RateGate | None = gate
        self.tokens = tokens

    def settle(self, used: int) -> None:
        """Put back what was reserved beyond the tokens really used."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.credit(self.tokens - used)

    def refund(self) -> None:
        """Put everything back: the request failed and was not billed."""
        self.settle(0)


class RateGate:
    """The rates of one group. Belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._line: RateLine[asyncio.Future[None]] = RateLine()
        self._timer: asyncio.TimerHandle | None = None

    def configure(self, rpm: int | None, tpm: int | None) -> None:
        """Set the rates; an unchanged one keeps its count. None is no rate."""
        line, before = self._line, self.limits
        if rpm != before[0]:
            line.requests = RequestRate(rpm) if rpm else None
        if tpm != before[1]:
            line.tokens = TokenBucket(tpm) if tpm else None
        self._serve()

    async def admit(self, tokens: int, deadline_s: float | None = None) -> Debit | float:
        """Reserve one request and its tokens, waiting for them; when the deadline passes, the seconds still to wait."""
        if self._line.requests is None and self._line.tokens is None:
            return Debit(self, tokens)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.join(waiter, tokens, self._clock())
        self._serve()
        try:
            await asyncio.wait((waiter,), timeout=deadline_s)
        except asyncio.CancelledError:
            if waiter.done():
                self.credit(tokens)
            raise
        finally:
            self._line.leave(waiter)
            self._serve()
        if waiter.done():
            return Debit(self, tokens)
        left_s = self._line.tokens.wait_s(tokens, self._clock()) if self._line.tokens else 0.0
        return max(left_s, self._line.requests.wait_s(self._clock()) if self._line.requests else 0.0)

    def credit(self, tokens: int) -> None:
        """Put tokens back and let those go who can now."""
        if self._line.tokens is not None:
            self._line.tokens.credit(tokens, self._clock())
        self._serve()

    @property
    def limits(self) -> tuple[int | None, int | None]:
        """Requests and tokens a minute; None is no rate."""
        line = self._line
        return line.requests.per_minute if line.requests else None, line.tokens.per_minute if line.tokens else None

    @property
    def waiting(self) -> int:
        """How many wait for the rates."""
        return len(self._line)

    def _serve(self) -> None:
        while (waiter := self._line.next(self._clock())) is not None:
            waiter.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        again_s = self._line.look_again_s(self._clock())
        if again_s is not None:
            self._timer = asyncio.get_running_loop().call_later(max(again_s, 0.001), self._serve)
