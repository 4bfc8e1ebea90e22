"""Conversations that moved to a fallback stay there for a while, so that caches and signatures keep their worth."""

from collections import OrderedDict
from datetime import datetime, timedelta

from msgspec import Struct

_IDLE = timedelta(minutes=10)
_LONGEST_ON_MONEY = timedelta(minutes=30)
_MOST_SESSIONS = 10_000


class _Stay(Struct):
    slot: str
    since: datetime
    used: datetime


class Stays:
    """Which conversation stays on which slot."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[tuple[str, str], _Stay] = OrderedDict()

    def slot_of(self, route: str, session: str, now: datetime, *, money_instead_of_quota: bool) -> str | None:
        """The fallback that this conversation stays on, None for main."""
        stay = self._by_session.get((route, session))
        if stay is None:
            return None
        is_over = now - stay.used > _IDLE or (money_instead_of_quota and now - stay.since > _LONGEST_ON_MONEY)
        if is_over:
            del self._by_session[route, session]
            return None
        return stay.slot

    def has(self, route: str, session: str) -> bool:
        """Whether this conversation may be staying somewhere."""
        return (route, session) in self._by_session

    def served(self, route: str, session: str, slot: str, now: datetime, *, is_main: bool) -> None:
        """Remember who served; main ends a stay."""
        key = (route, session)
        stay = self._by_session.get(key)
        if is_main:
            self._by_session.pop(key, None)
        elif stay is not None and stay.slot == slot:
            stay.used = now
            self._by_session.move_to_end(key)
        else:
            self._by_session[key] = _Stay(slot, now, now)
            if len(self._by_session) > _MOST_SESSIONS:
                self._by_session.popitem(last=False)

    def forget(self, route: str, session: str) -> None:
        """The slot no longer serves this conversation."""
        self._by_session.pop((route, session), None)
