"""Places as rows of the store: where the kernel keeps no byte locks for us, or several hosts share one account."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import count
from uuid import uuid4

from perilune.core.errors import StoreError
from perilune.gateway.admission.memory import first_free
from perilune.gateway.admission.port import Keeper
from perilune.gateway.admission.process import is_alive, this_process
from perilune.store import leases
from perilune.store.engine import Store

EXPIRY_MS = 30_000
HEARTBEAT_S = 10.0
_WAITING_MS = 200
_MARK_AGAIN_MS = 100
_CLEAR_AGAIN_MS = 500  # so that a killed process's places are free within a second


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class RowPlaces:
    """Places as rows with an expiry, prolonged by a thread of their own.

    While the store cannot be written (no space, damaged), places are counted in this process alone and `is_degraded`
    says so: requests go on. `lost` is called with group and place when a row was gone at its next heartbeat.
    """

    is_instant = False
    kept_by: Keeper = "rows"

    def __init__(
        self, store: Store, wall_ms: Callable[[], int] = _wall_ms, lost: Callable[[str, int], None] | None = None
    ) -> None:
        self.is_degraded = False
        self.lost = lost
        self._store = store
        self._wall_ms = wall_ms
        self._holder = this_process()
        self._ids: dict[tuple[str, int], str] = {}
        self._unbacked: defaultdict[str, set[int]] = defaultdict(set)
        self._marks: dict[str, str] = {}
        self._marked_ms: dict[str, int] = {}
        self._cleared_ms: dict[str, int] = {}
        self._was_full: set[str] = set()
        self._to_remove: set[str] = set()
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="perilune-leases", daemon=True)
        self._heart.start()

    def take(self, group: str, cap: int, reserved: int, *, may_use_reserved: bool) -> int | None:
        try:
            place = self._take_row(group, cap, reserved, may_use_reserved)
        except StoreError as error:
            if error.problem.code == "PL-STORE-LOCKED":
                return None
            self.is_degraded = True
            return self._take_unbacked(group, cap)
        self.is_degraded = False
        (self._was_full.add if place is None else self._was_full.discard)(group)
        return place

    def give_back(self, group: str, place: int) -> None:
        if place < 0:
            self._unbacked[group].discard(place)
            return
        with self._mutex:
            lease_id = self._ids.pop((group, place), None)
            if lease_id is not None:
                self._to_remove.add(lease_id)
        self._remove_freed()

    def may_hand_over(self) -> bool:
        return not self.is_degraded

    def others_wait(self, group: str) -> int:
        """Say that this process waits for a place, and hear how many others do."""
        mark, own_ms = self._marks.setdefault(group, str(uuid4())), self._wall_ms()
        try:
            if own_ms - self._marked_ms.get(group, 0) >= _MARK_AGAIN_MS:
                self._marked_ms[group] = own_ms
                with self._store.begin() as connection:
                    until_ms = leases.now_ms(connection, own_ms) + _WAITING_MS
                    leases.mark_waiting(connection, mark, group, self._holder, until_ms)
            with self._store.read() as connection:
                return leases.others_wait(connection, mark, group, leases.now_ms(connection, own_ms))
        except StoreError:
            return 0

    def occupied(self, group: str) -> int:
        with self._store.read() as connection:
            at_ms = leases.now_ms(connection, self._wall_ms())
            return len(leases.occupied(connection, group, at_ms)) + len(self._unbacked[group])

    def heartbeat(self) -> None:
        """Prolong this process's rows, remove those that could not be removed, and tell of lost ones."""
        self._remove_freed()
        with self._mutex:
            mine = {lease_id: key for key, lease_id in self._ids.items()}
        if not mine:
            return
        try:
            with self._store.begin() as connection:
                at_ms = leases.now_ms(connection, self._wall_ms())
                gone = leases.prolong(connection, list(mine), at_ms + EXPIRY_MS)
        except StoreError:
            return  # the next beat comes before the rows expire
        for key in (mine[lease_id] for lease_id in gone):
            self._forget(key)

    def close(self) -> None:
        self._closing.set()
        self._heart.join()
        with self._mutex:
            self._to_remove.update(self._ids.values())
            self._ids.clear()
        self._remove_freed()

    def _take_row(self, group: str, cap: int, reserved: int, may_use_reserved: bool) -> int | None:
        find = partial(first_free, cap=cap, reserved=reserved, may_use_reserved=may_use_reserved)
        is_due = self._wall_ms() - self._cleared_ms.get(group, 0) >= _CLEAR_AGAIN_MS
        if group in self._was_full and not is_due and self._is_full(group, find):
            return None
        lease_id = str(uuid4())
        with self._store.begin() as connection:
            leases.lock_group(connection, group)
            at_ms = leases.now_ms(connection, self._wall_ms())
            place = find(leases.occupied(connection, group, at_ms))
            if place is None and is_due:
                self._cleared_ms[group] = self._wall_ms()
                leases.clear(connection, group, at_ms, self._holder.host, is_alive)
                place = find(leases.occupied(connection, group, at_ms))
            if place is None:
                return None
            leases.clear_place(connection, group, place)
            leases.add(connection, lease_id, group, place, self._holder, at_ms + EXPIRY_MS)
        with self._mutex:
            self._ids[group, place] = lease_id
        return place

    def _is_full(self, group: str, find: Callable[[set[int]], int | None]) -> bool:
        """A look without the writer's lock: others who give places back need it."""
        with self._store.read() as connection:
            at_ms = leases.now_ms(connection, self._wall_ms())
            return find(leases.occupied(connection, group, at_ms)) is None

    def _take_unbacked(self, group: str, cap: int) -> int | None:
        unbacked = self._unbacked[group]
        with self._mutex:
            backed = sum(name == group for name, _ in self._ids)
        if backed + len(unbacked) >= cap:
            return None
        place = next(number for number in count(-1, -1) if number not in unbacked)
        unbacked.add(place)
        return place

    def _remove_freed(self) -> None:
        with self._mutex:
            ids = list(self._to_remove)
        if not ids:
            return
        try:
            with self._store.begin() as connection:
                leases.remove(connection, ids)
        except StoreError:
            return  # tried again with the next heartbeat
        with self._mutex:
            self._to_remove.difference_update(ids)

    def _forget(self, key: tuple[str, int]) -> None:
        with self._mutex:
            was_held = self._ids.pop(key, None) is not None
        if was_held and self.lost is not None:
            self.lost(*key)

    def _beat(self) -> None:
        while not self._closing.wait(HEARTBEAT_S):
            self.heartbeat()
