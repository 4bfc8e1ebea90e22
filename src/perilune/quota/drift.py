"""Drift: parts of an answer that could not be read, and fields that this version does not know. Names, never values."""

import re
from collections.abc import Sequence

from msgspec import Struct

from perilune.quota.snapshot import Snapshot

_WINDOW = re.compile(r"usage|detail|limits(\[\d+\])?|usages\.[^.]+")


class Drift(Struct, frozen=True):
    """What of an account's answer this version does not follow. `lost` was known and unreadable, `unknown` is new."""

    lost: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.unknown)

    @property
    def names(self) -> tuple[str, ...]:
        return self.lost + self.unknown


def drift_of(snapshot: Snapshot) -> Drift:
    """The drift of one answer."""
    return Drift(snapshot.drift, snapshot.unknown_fields)


def gained(before: Snapshot | None, after: Snapshot) -> Drift:
    """What is adrift now and was not when the account was read before."""
    known = set(drift_of(before).names) if before is not None else set()
    new = drift_of(after)
    return Drift(
        tuple(name for name in new.lost if name not in known), tuple(name for name in new.unknown if name not in known)
    )


def lost_windows(drift: Sequence[str]) -> int:
    """How many whole windows could not be read; a field of one that was read is not one."""
    return sum(1 for name in drift if _WINDOW.fullmatch(name))
