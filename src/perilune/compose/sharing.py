"""What processes over one store know of each other: gateway keys and open scopes, looked at anew twice a second."""

import asyncio
import logging
from collections.abc import Callable

from perilune.core.errors import StoreError
from perilune.gateway.kept_states import KeptStates
from perilune.gateway.key_book import StoredKeyBook
from perilune.gateway.purse import StoredPurse
from perilune.gateway.states import ScopeState, States
from perilune.store.lessons import Learned

_EVERY_S = 0.5
_log = logging.getLogger(__name__)


class Sharing:
    """Takes over what other processes wrote. Belongs to the loop that `states` belongs to.

    Shape: `lessons` reads what refusals taught, in a thread; `take_in` believes it, on the loop.
    """

    def __init__(
        self,
        keys: StoredKeyBook,
        kept: KeptStates,
        states: States,
        purse: StoredPurse,
        lessons: Callable[[], list[Learned]] = list,
        take_in: Callable[[list[Learned]], None] = lambda lessons: None,
    ) -> None:
        self._lessons = lessons
        self._take_in = take_in
        self._purse = purse
        self._keys = keys
        self._kept = kept
        self._states = states
        self._is_failing = False

    async def run(self) -> None:
        """Look for good. While the store cannot be read, what was known stays known."""
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await self.look()
                self._is_failing = False
            except StoreError as error:
                if not self._is_failing:
                    _log.warning("what other processes write is not seen: %s", error.problem.code)
                self._is_failing = True

    async def look(self) -> None:
        """Look once. Raises: StoreError."""
        changes = self._kept.changes
        found, lessons = await asyncio.to_thread(self._read)
        self._take_in(lessons)
        if self._kept.changes == changes:  # else what was read is older than what is known here; the next look has it
            self._states.restore(found)

    def _read(self) -> tuple[list[ScopeState], list[Learned]]:
        self._keys.refresh()
        self._purse.refresh()
        return self._kept.load(), self._lessons()
