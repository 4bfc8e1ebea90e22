"""The coverage ledger: every file of the diff has exactly one state, and every gap a reason."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct, structs


class CoverageState(StrEnum):
    """What became of a file."""

    REVIEWED = "reviewed"
    REUSED = "reused"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    FAILED = "failed"


class CoverageItem(Struct, frozen=True, kw_only=True):
    """One file of the diff and what became of it."""

    path: str
    state: CoverageState
    reason: str | None = None
    unit: str | None = None
    added: int = 0
    removed: int = 0


_READ = (CoverageState.REVIEWED, CoverageState.REUSED)


class Ledger:
    """The states of all files, settled as the run goes on."""

    def __init__(self, items: Iterable[CoverageItem]) -> None:
        self._items = {item.path: item for item in items}

    def settle(self, path: str, state: CoverageState, reason: str | None = None, unit: str | None = None) -> None:
        """Give a file its state."""
        item = self._items[path]
        self._items[path] = structs.replace(item, state=state, reason=reason, unit=unit or item.unit)

    @property
    def items(self) -> tuple[CoverageItem, ...]:
        return tuple(sorted(self._items.values(), key=lambda item: item.path))

    def count(self, state: CoverageState) -> int:
        return Counter(item.state for item in self._items.values())[state]

    def item(self, path: str) -> CoverageItem:
        return self._items[path]

    def state(self, path: str) -> CoverageState:
        return self._items[path].state


def of_parts(parts: Sequence[tuple[CoverageState, str | None]]) -> tuple[CoverageState, str | None]:
    """The state of a file from those of its parts: read in part where one part was read and another was not."""
    gaps = [part for part in parts if part[0] not in _READ]
    if not gaps:
        return parts[0]
    if len(gaps) < len(parts):
        return CoverageState.PARTIAL, gaps[0][1]
    failed = next((part for part in gaps if part[0] is CoverageState.FAILED), None)
    return failed or gaps[0]
