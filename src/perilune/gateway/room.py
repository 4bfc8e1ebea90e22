"""Room on accounts by their last readings: floors per priority, and how many requests a counting window still takes.

Judged once for each reading; a request asks a dictionary. Source: gateway reference 6.6.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from perilune.gateway.admission import Priority
from perilune.gateway.floors import BALANCE, Short, holds_until, requests_left, short_of, used_by_each
from perilune.gateway.ports import Accounts
from perilune.gateway.slots import Slot
from perilune.providers.contract.classify import code_of
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.table import Found
from perilune.providers.contract.words import VendorError
from perilune.quota.snapshot import Snapshot, Window

_ENOUGH = 3  # requests between two readings, below which their share of a window says little


class _Judged(Struct, frozen=True):
    """What a reading says of one slot and priority, and until when."""

    snapshot: Snapshot
    until: datetime
    outcome: Outcome | None
    takes: tuple[int, Window] | None


class _Taken(Struct):
    """Requests let through to an account group since its last reading."""

    reading: Snapshot
    count: int = 0


class Room:
    """Which slots have room for whom. Belongs to one event loop.

    A window that counts no requests is believed to take as many more as our own of the time between its last two
    readings took it: an estimate, so a fresh reading is asked for where it says that nothing is left.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._judged: dict[tuple[str, str, Priority], _Judged] = {}
        self._taken: dict[str, _Taken] = {}
        self._each: dict[tuple[str, str], Decimal] = {}

    def reason(self, slot: Slot, priority: Priority, now: datetime) -> Outcome | None:
        """Why a slot is not for this priority now; None while there is room, or nothing is known."""
        judged = self._judge(slot, priority, now)
        if judged is None or judged.outcome is not None:
            return None if judged is None else judged.outcome
        if judged.takes is None or self._taken[slot.group].count < judged.takes[0]:
            return None
        self._accounts.doubtful(slot.account, now)
        return _used_up(*judged.takes)

    def take(self, slot: Slot, priority: Priority, now: datetime) -> bool:
        """Count one request that goes to a slot; False when as many went as its reading left."""
        judged = self._judge(slot, priority, now)
        if judged is None:
            return True
        taken = self._taken[slot.group]
        if judged.takes is not None and taken.count >= judged.takes[0]:
            return False
        taken.count += 1
        return True

    def give_back(self, slot: Slot) -> None:
        """Uncount one that the vendor did not take."""
        taken = self._taken.get(slot.group)
        if taken is not None and taken.count > 0:
            taken.count -= 1

    def _judge(self, slot: Slot, priority: Priority, now: datetime) -> _Judged | None:
        snapshot = self._accounts.snapshot(slot.account)
        if snapshot is None or not (snapshot.windows or snapshot.balance):
            return None
        key = (slot.group, slot.name, priority)
        judged = self._judged.get(key)
        if judged is None or judged.snapshot is not snapshot or now >= judged.until:
            self._follow(slot.group, snapshot)
            judged = self._judged[key] = self._judgement(slot, snapshot, priority, now)
        return judged

    def _follow(self, group: str, snapshot: Snapshot) -> None:
        """A new reading: what our requests since the last one took of each window, and the count begins anew."""
        taken = self._taken.get(group)
        if taken is not None and taken.reading.fetched_at >= snapshot.fetched_at:
            return
        if taken is not None and taken.count >= _ENOUGH:
            for window, each in used_by_each(taken.reading, snapshot, taken.count).items():
                self._each[group, window] = each
        self._taken[group] = _Taken(snapshot)

    def _judgement(self, slot: Slot, snapshot: Snapshot, priority: Priority, now: datetime) -> _Judged:
        skew = timedelta(seconds=snapshot.clock_skew_s)
        there = now + skew
        short = short_of(snapshot, slot.floors, priority, there)
        takes = None
        if slot.costs_quota and not slot.may_use_extra:
            each = {window: one for (group, window), one in self._each.items() if group == slot.group}
            takes = requests_left(snapshot, each, there)
        outcome = None if short is None else _short(short, priority)
        return _Judged(snapshot, holds_until(snapshot, there) - skew, outcome, takes)


def _short(short: Short, priority: Priority) -> Outcome:
    facts = {"floor": short.floor, "left": short.left, "share": str(short.share), "class": priority.name.lower()}
    if short.window == BALANCE:
        return Outcome(kind=Is.BALANCE_EMPTY, code="PL-BALANCE-EMPTY", facts=facts)
    return _of_window(short.window, short.resets_at, facts)


def _used_up(count: int, window: Window) -> Outcome:
    return _of_window(window.id, window.resets_at, {"taken": str(count)})


def _of_window(window: str, resets_at: datetime | None, facts: dict[str, str]) -> Outcome:
    code = code_of(Found(kind=Is.QUOTA_SPENT, window=window), None, VendorError())
    return Outcome(kind=Is.QUOTA_SPENT, code=code, window=window, retry_at=resets_at, facts=facts)
