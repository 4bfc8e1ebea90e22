"""The keys of the store, as the door asks for them."""

from collections.abc import Callable
from datetime import datetime

from perilune.gateway.admission import Priority
from perilune.gateway.budgets import KeyLimits, key_budgets
from perilune.gateway.door import Caller
from perilune.gateway.keys import KeyRing, KnownKey
from perilune.store.engine import Store
from perilune.store.keys import all_keys

_PRIORITIES = {"interactive": Priority.INTERACTIVE, "review": Priority.REVIEW, "batch": Priority.BATCH}


class StoredKeyBook:
    """Finds callers by their key in memory. `refresh` reads the store: once a second, from a thread."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._ring = KeyRing()
        self.refresh()

    def refresh(self) -> None:
        """Know what the store holds now. Raises: StoreError; what was known stays known then."""
        with self._store.read() as connection:
            keys = all_keys(connection)
        self._ring.replace(keys)

    def has_ended(self, key_id: str) -> bool:
        return self._ring.has_ended(key_id)

    def find(self, text: str) -> Caller | None:
        known = self._ring.find(text, self._now())
        if known is None:
            return None
        settings = known.settings
        return Caller(
            owner=settings.owner,
            key_id=known.id,
            priority=_PRIORITIES[settings.priority],
            models=settings.models,
            routes=settings.routes,
            limits=limits_of(known),
        )


def limits_of(key: KnownKey) -> KeyLimits | None:
    """What a key allows at once and in all; None where it limits nothing."""
    settings = key.settings
    if settings.rpm is None and settings.max_concurrent is None and settings.soft is None and settings.hard is None:
        return None
    budgets = key_budgets(key.id, key.name, settings.soft, settings.hard, settings.per)
    return KeyLimits(rpm=settings.rpm, max_concurrent=settings.max_concurrent, budgets=budgets)
