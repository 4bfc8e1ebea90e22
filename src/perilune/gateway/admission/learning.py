"""How many requests at once an account bears: what was set, what the vendor said, what was found out by refusals."""

from msgspec import Struct

LEARNED_FOR_S = 24 * 3600.0
_SHRINK_EVERY_S = 2.0
_GROW_EVERY_S = 30.0


class LearnedCap(Struct, frozen=True):
    """A number that a refusal named. Units: `until_s` seconds on the clock the learner was given."""

    value: int
    until_s: float


class CapLearner:
    """The cap of one group, the smallest of all that is known. None is unlimited.

    Units: every `now_s` is seconds on one steady clock.
    """

    def __init__(self, configured: int | None = None) -> None:
        self._configured = configured
        self._stated: int | None = None
        self._learned: LearnedCap | None = None
        self._found: int | None = None  # additive increase, multiplicative decrease
        self._shrunk_s: float | None = None
        self._grown_s: float | None = None
        self._streak = 0

    def cap(self, now_s: float) -> int | None:
        """The cap now."""
        self._forget_expired(now_s)
        known = (self._configured, self._stated, self.learned, self._found)
        return min((value for value in known if value is not None), default=None)

    @property
    def learned(self) -> int | None:
        """The number that a refusal named, while it is believed."""
        return None if self._learned is None else self._learned.value

    @property
    def found(self) -> int | None:
        """The value that refusals without a number led to."""
        return self._found

    def remembered(self) -> LearnedCap | None:
        """What is worth keeping over a restart."""
        return self._learned

    def recall(self, learned: LearnedCap) -> None:
        """Believe what was kept, unless something lower is known by now."""
        if self._learned is None or learned.value < self._learned.value:
            self._learned = learned

    def configure(self, configured: int | None) -> None:
        """Take the user's own number. A changed one clears what was learned: the user knows of a new tier."""
        if configured != self._configured:
            self._learned = self._found = None
            self._configured = configured

    def state(self, stated: int | None) -> None:
        """Take what the vendor's account page says. A higher statement than before is grown into, not jumped to."""
        if stated is not None and self._stated is not None and stated > self._stated:
            self._found = min(self._stated, self._found or self._stated)
        self._stated = stated

    def refused_naming(self, limit: int, in_flight: int, now_s: float) -> None:
        """A refusal said how many may be in flight; `in_flight` counts the refused one.

        Where we do not run more than that ourselves, somebody else uses the account too.
        """
        self._streak = 0
        value = max(1, limit if limit < in_flight else in_flight - 1)
        if self._learned is None or value <= self._learned.value or self._learned.until_s <= now_s:
            self._learned = LearnedCap(value, now_s + LEARNED_FOR_S)

    def refused(self, in_flight: int, now_s: float) -> None:
        """A refusal for concurrency without a number."""
        self._streak = 0
        if self._shrunk_s is not None and now_s - self._shrunk_s < _SHRINK_EVERY_S:
            return
        self._shrunk_s = self._grown_s = now_s
        shrunk = max(1, in_flight * 7 // 10)
        self._found = shrunk if self._found is None else min(shrunk, self._found)

    def succeeded(self, now_s: float) -> bool:
        """One more success; True when the cap grew by one."""
        if self._found is None:
            return False
        self._streak += 1
        cap = self.cap(now_s)
        if cap is None or self._streak < cap or now_s - (self._grown_s or 0.0) < _GROW_EVERY_S:
            return False
        self._grown_s, self._streak = now_s, 0
        self._found += 1
        if self._configured is not None and self._found >= self._configured:
            self._found = None
        return True

    def absorb(self, other: "CapLearner") -> None:
        """Take over what another group knew, now that both are one: the smaller number of each kind."""
        self._configured = _smaller(self._configured, other._configured)
        self._stated = _smaller(self._stated, other._stated)
        self._found = _smaller(self._found, other._found)
        if other._learned is not None:
            self.recall(other._learned)

    def _forget_expired(self, now_s: float) -> None:
        """What was learned is not jumped away from either: growth goes on from there."""
        if self._learned is not None and self._learned.until_s <= now_s:
            self._found = min(self._learned.value, self._found or self._learned.value)
            self._grown_s = now_s
            self._learned = None


def _smaller(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)
