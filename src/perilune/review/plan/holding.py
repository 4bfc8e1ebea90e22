"""What a plan holds of its account while it runs, so that two reviews never count on the same rest."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from perilune.review.plan.allowance import request_share
from perilune.review.plan.planner import Plan
from perilune.review.ports import Amounts, Place, Reservations, SlotView

BALANCE = "balance"


def requests_at_most(plan: Plan, max_requests: int) -> int:
    """How many requests a run of this plan may make: room for retries and splits, within what it is allowed."""
    most = min(max_requests, 2 * plan.requests + 4)
    return most if plan.allowed.requests is None else min(most, plan.allowed.requests)


def held_by(plan: Plan, requests: int) -> dict[Place, Decimal]:
    """What so many requests of a plan hold of each window, and of the balance."""
    slot = plan.slot
    if slot is None:
        return {}
    amounts = {
        (slot.account, window.id): requests
        * (Decimal(1) if window.unit == "requests" else request_share(window, slot.request_weight))
        for window in slot.windows
    }
    cost = plan.estimate.cost
    if slot.balance is not None and cost is not None and plan.requests:
        amounts[slot.account, BALANCE] = requests * cost.amount / plan.requests
    return amounts


def seen_by(plan: Plan) -> dict[Place, Decimal]:
    """What others held when the plan was made."""
    slot = plan.slot
    if slot is None:
        return {}
    held = {(slot.account, window.id): window.reserved for window in slot.windows}
    return {**held, (slot.account, BALANCE): slot.balance_reserved}


class Hold:
    """The reservation of one run. A request that was made is held until a later reading has counted it."""

    def __init__(self, reservations: Reservations, run: str, plan: Plan, requests: int) -> None:
        self._reservations = reservations
        self._run = run
        self._plan = plan
        self._requests = requests
        self._made: list[datetime] = []

    async def made(self, at: datetime, slots: Sequence[SlotView]) -> None:
        """A request ended; those that the newest reading already counts are given back."""
        self._made.append(at)
        await self._reservations.settle(self._run, self._still(slots))

    async def end(self, slots: Sequence[SlotView]) -> None:
        """The run is over: only what no reading has counted yet stays held, until the reservation ends by itself."""
        self._requests = len(self._made)
        await self._reservations.settle(self._run, self._still(slots))

    def _still(self, slots: Sequence[SlotView]) -> Amounts:
        name = self._plan.slot.account if self._plan.slot is not None else None
        read_at = next((slot.read_at for slot in slots if slot.account == name), None)
        counted = sum(1 for at in self._made if read_at is not None and at < read_at)
        return held_by(self._plan, max(self._requests - counted, 0))
