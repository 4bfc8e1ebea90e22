"""Places as locked bytes: one file per group, one byte per lease, in a folder that all of a user's programs share."""

import hmac
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from perilune.gateway.admission.lockfile import LockFile
from perilune.gateway.admission.memory import MemoryPlaces
from perilune.gateway.admission.neighbours import FIRST_WAITING_BYTE, WaitingByte
from perilune.gateway.admission.port import Keeper

_LOOK_S = 0.005


class LockedPlaces:
    """Places of every group, and the neighbours that wait for them. One object per process.

    Shape: a group's file is named by a digest under a random key kept in the folder, so that it tells nothing.
    `is_degraded` says that the system gave no lock last time and places are counted in this process alone.
    """

    is_instant = True
    kept_by: Keeper = "locks"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._key = _shared_key(folder / "key")
        self._groups: dict[str, _Group] = {}
        self._alone = MemoryPlaces()
        self.is_degraded = False

    @property
    def folder_id(self) -> str:
        """What all who share these locks have in common, and nobody else."""
        return hmac.digest(self._key, b"folder", "sha256").hex()[:32]

    def take(self, group: str, cap: int, reserved: int, *, may_use_reserved: bool) -> int | None:
        try:
            place = self._group(group).take(cap, reserved, may_use_reserved)
        except OSError:
            return self._take_alone(group, cap, reserved, may_use_reserved)
        self.is_degraded = False
        return place

    def give_back(self, group: str, place: int) -> None:
        if place < 0:
            self._alone.give_back(group, -1 - place)
        elif group in self._groups:  # not after everything was closed
            self._groups[group].give_back(place)

    def occupied(self, group: str) -> int:
        try:
            locked = self._group(group).occupied()
        except OSError:
            locked = 0
        return locked + self._alone.occupied(group)

    def announce(self, group: str) -> int | None:
        try:
            return self._group(group).waiting.announce()
        except OSError:
            return None

    def drain(self, group: str) -> None:
        if group in self._groups:
            self._groups[group].waiting.drain()

    def withdraw(self, group: str) -> None:
        if group in self._groups:
            self._groups[group].waiting.withdraw()

    def others_wait(self, group: str) -> int:
        return self._groups[group].waiting.others() if group in self._groups else 0

    def wake_one(self, group: str) -> bool:
        return group in self._groups and self._groups[group].waiting.wake_one()

    def close(self) -> None:
        for group in self._groups.values():
            group.close()
        self._groups.clear()

    def _take_alone(self, group: str, cap: int, reserved: int, may_use_reserved: bool) -> int | None:
        """Where the system keeps no locks now, places are counted in this process: requests go on."""
        self.is_degraded = True
        held = len(self._groups[group].held) if group in self._groups else 0
        left = cap - held
        place = (
            self._alone.take(group, left, min(reserved, left), may_use_reserved=may_use_reserved) if left > 0 else None
        )
        return None if place is None else -1 - place

    def _group(self, name: str) -> "_Group":
        group = self._groups.get(name)
        if group is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # gone when the session ended meanwhile
            digest = hmac.digest(self._key, name.encode(), "sha256").hex()[:24]
            group = self._groups[name] = _Group(LockFile(self._folder / digest))
        return group


class _Group:
    """The bytes of one group, and which of them this process holds."""

    def __init__(self, file: LockFile) -> None:
        self._file = file
        self.held: set[int] = set()
        self._highest = -1  # no held place is above it
        self._next = 0  # freed last, so most likely free
        self._looked_beyond, self._look_again_s = 0, 0.0
        self.waiting = WaitingByte(file)

    def take(self, cap: int, reserved: int, may_use_reserved: bool) -> int | None:
        if len(self.held) >= cap:
            return None
        place = self._lock_reserved(cap - reserved, cap) if may_use_reserved else None
        place = self._lock_open(cap - reserved) if place is None else place
        if place is None:
            return None
        self.held.add(place)
        self._highest = max(self._highest, place)
        if self._is_over(cap):
            self.give_back(place)
            return None
        return place

    def give_back(self, place: int) -> None:
        if place in self.held:
            self._file.unlock(place)
            self.held.discard(place)
            self._next = place

    def occupied(self) -> int:
        return len(self.held) + self._file.count_foreign(0, FIRST_WAITING_BYTE)

    def close(self) -> None:
        self.waiting.close()
        self._file.close()

    def _lock_reserved(self, start: int, end: int) -> int | None:
        for place in range(start, end):
            if place not in self.held and self._file.try_lock(place):
                return place
        return None

    def _lock_open(self, limit: int) -> int | None:
        place, tried = (self._next if self._next < limit else 0), 0
        while tried < limit:
            if place in self.held:
                step = 1
            elif self._file.try_lock(place):
                return place
            else:
                step = self._steps_past_conflict(place)
            tried += step
            place = place + step if place + step < limit else 0
        return None

    def _steps_past_conflict(self, place: int) -> int:
        found = self._file.foreign(place, place + 1)
        return 1 if found is None else found[1] - place

    def _is_over(self, cap: int) -> bool:
        """Whether more than `cap` places are occupied in all, which only places beyond the cap can bring about.

        Two processes that look at the same time may both see each other and both step back: never over, at worst late.
        """
        if self._highest >= cap:
            self._highest = max(self.held)
        if self._highest < cap and self._nobody_is_beyond(cap):
            return False
        return self.occupied() > cap

    def _nobody_is_beyond(self, cap: int) -> bool:
        """Looked at anew every few milliseconds: only a process with a higher cap could be there."""
        now_s = time.monotonic()
        if cap == self._looked_beyond and now_s < self._look_again_s:
            return True
        is_empty = self._file.foreign(cap, FIRST_WAITING_BYTE) is None
        self._looked_beyond, self._look_again_s = cap, now_s + _LOOK_S if is_empty else 0.0
        return is_empty


def _shared_key(path: Path) -> bytes:
    """The folder's random key, made by whoever comes first."""
    if not path.exists():
        draft = path.with_name(f"key.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()
