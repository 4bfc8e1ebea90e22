"""The coverage ledger: every file of the diff has exactly one state, and every gap a reason."""

from collections import Counter
from collections.abc import Iterable
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


_WORST_LAST = (
    CoverageState.REUSED,
    CoverageState.REVIEWED,
    CoverageState.PARTIAL,
    CoverageState.SKIPPED,
    CoverageState.FAILED,
)


class Ledger:
    """The states of all files, settled as the run goes on."""

    def __init__(self, items: Iterable[CoverageItem]) -> None:
        self._items = {item.path: item for item in items}

    def settle(self, path: str, state: CoverageState, reason: str | None = None, unit: str | None = None) -> None:
        """Give a file its state."""
        item = self._items[path]
        self._items[path] = structs.replace(item, state=state, reason=reason, unit=unit or item.unit)

    def worsen(self, path: str, state: CoverageState, reason: str | None = None, unit: str | None = None) -> None:
        """Give a file a state unless a worse one stands; of a file in several units the worst part counts."""
        before = self._items[path]
        both = {before.state, state}
        if before.state is not CoverageState.REVIEWED and CoverageState.REVIEWED in both and state != before.state:
            state, reason = _mixed(before, state, reason)
        if _WORST_LAST.index(state) > _WORST_LAST.index(before.state) or before.unit is None:
            self.settle(path, state, reason, unit)

    @property
    def items(self) -> tuple[CoverageItem, ...]:
        return tuple(sorted(self._items.values(), key=lambda item: item.path))

    def count(self, state: CoverageState) -> int:
        return Counter(item.state for item in self._items.values())[state]

    def state(self, path: str) -> CoverageState:
        return self._items[path].state


def _mixed(before: CoverageItem, state: CoverageState, reason: str | None) -> tuple[CoverageState, str | None]:
    """A file of which one part was read and another was not."""
    if before.state in (CoverageState.SKIPPED, CoverageState.FAILED):
        return CoverageState.PARTIAL, before.reason
    return state, reason
