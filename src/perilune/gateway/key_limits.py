"""What one gateway key, and all together, may have in flight and ask in a minute: in front of every slot. Source: 6.1.

The right to be in flight comes first: who is refused it has used nothing of a rate.
"""

import asyncio
import time
from collections.abc import Callable

from perilune.core.errors import Problem
from perilune.dialects.errors import ErrorKind
from perilune.dialects.form import Dialect
from perilune.gateway.admission import Admission, Lease, Refused
from perilune.gateway.admission.buckets import RequestRate
from perilune.gateway.call import Call, Reply
from perilune.gateway.core import Core
from perilune.gateway.stream import AnswerStream

Refuse = Callable[[Dialect, Problem, ErrorKind, int], Reply]
_EVERYBODY = "gateway"


class KeyGate:
    """Stands before the core. `refuse` writes a reply: dialect, problem, kind, seconds to come back."""

    def __init__(self, core: Core, refuse: Refuse, clock: Callable[[], float] = time.monotonic) -> None:
        self._core = core
        self._refuse = refuse
        self._clock = clock
        self._caps: dict[str, int] = {}
        self._rates: dict[str, RequestRate] = {}

    async def answer(self, call: Call) -> Reply:
        """The core's reply, once the key and the gateway as a whole allow the request."""
        caps = self._caps_of(call)
        rpm = None if call.limits is None else call.limits.rpm
        if not caps and rpm is None:
            return await self._core.answer(call)
        leases: list[Lease] = []
        keeps = False
        try:
            for group, cap in caps:
                taken = await self._lease(group, cap, call)
                if isinstance(taken, Refused):
                    return self._full(call, taken)
                leases.append(taken)
            rate = None if rpm is None else self._rate(call.key_id or call.owner, rpm)
            wait_s = 0.0 if rate is None else await self._wait(rate)
            if wait_s:
                return self._too_many(call, rpm or 0, _whole(wait_s))
            reply = await self._core.answer(call)
            if isinstance(reply.chunks, AnswerStream) and leases:
                reply.chunks.hold(leases)
                keeps = True
            elif rate is not None and not any(attempt.was_sent for attempt in reply.attempts):
                rate.give_back()
            return reply
        finally:
            for lease in () if keeps else leases:
                lease.release()

    def _caps_of(self, call: Call) -> list[tuple[str, int]]:
        everybody = self._core.setup.config.max_concurrent_requests
        own = None if call.limits is None else call.limits.max_concurrent
        caps = [] if own is None else [(f"key {call.key_id}", own)]
        return caps if everybody is None else [*caps, (_EVERYBODY, everybody)]

    async def _lease(self, group: str, cap: int, call: Call) -> Lease | Refused:
        admission: Admission = self._core.services.admission
        if self._caps.get(group) != cap:
            self._caps[group] = cap
            admission.configure(group, cap)
        return await admission.acquire(group, call.owner, call.priority, self._core.setup.clocks.queue_s)

    def _rate(self, key: str, rpm: int) -> RequestRate:
        rate = self._rates.get(key)
        if rate is None or rate.per_minute != rpm:
            rate = self._rates[key] = RequestRate(rpm)
        return rate

    async def _wait(self, rate: RequestRate) -> float:
        """Take a turn, after a short wait; the seconds still to wait where it would be longer."""
        wait_s = rate.wait_s(self._clock())
        if wait_s > self._core.setup.clocks.rate_wait_s:
            return wait_s
        rate.take(self._clock())
        await asyncio.sleep(wait_s)
        return 0.0

    def _too_many(self, call: Call, rpm: int, wait_s: int) -> Reply:
        facts: dict[str, object] = {"account": call.owner, "rate": "RPM", "limit": rpm, "wait_s": wait_s}
        problem = Problem(code="PL-429-RATE", variant="KEY", facts=facts)
        return self._refuse(call.front, problem, ErrorKind.RATE, wait_s)

    def _full(self, call: Call, refused: Refused) -> Reply:
        facts: dict[str, object] = {
            "account": call.owner, "waited_s": round(refused.waited_s), "in_flight": refused.in_flight,
            "cap": refused.cap or 0,
        }  # fmt: skip
        is_full = refused.reason == "full"
        problem = Problem(code="PL-GW-FULL" if is_full else "PL-GW-QUEUE", variant="NO-COUNT" * is_full, facts=facts)
        return self._refuse(call.front, problem, ErrorKind.QUEUE, refused.retry_after_s)


def _whole(seconds: float) -> int:
    return max(int(-(-seconds // 1)), 1)
