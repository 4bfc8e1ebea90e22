"""In which order the usable slots of a route are asked, beyond the order they are written in. Pure. Source: 6.6."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from perilune.gateway.admission import Priority
from perilune.gateway.call import Attempt
from perilune.gateway.floors import lasts
from perilune.gateway.ports import Accounts
from perilune.gateway.slots import Route, Slot


def preferred(route: Route, usable: list[Slot], priority: Priority, accounts: Accounts, now: datetime) -> list[Slot]:
    """Where the route says so, what can wait goes first to accounts that last until their reset."""
    if route.config.prefer == "order" or priority is Priority.INTERACTIVE or len(usable) < 2:
        return usable
    return sorted(usable, key=lambda slot: not lasts(accounts.snapshot(slot.account), now))


def least_used(
    slots: Sequence[Slot], skips: Mapping[str, Attempt], done: Collection[str], priority: Priority
) -> list[Slot]:
    """Where every slot is under its floor, the one with the most left, for those who wait for an answer."""
    if priority is not Priority.INTERACTIVE:
        return []
    left = {
        slot.name: float(facts["share"])
        for slot in slots
        if slot.name in skips and slot.name not in done
        and "floor" in (facts := skips[slot.name].outcome.facts or {})
    }  # fmt: skip
    return [max((slot for slot in slots if slot.name in left), key=lambda slot: left[slot.name])] if left else []
