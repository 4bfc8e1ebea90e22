"""Rates as pure arithmetic: requests a minute evenly spread, tokens a minute as a bucket that refills.

Units: every `now_s` is seconds on one steady clock; waits are seconds, 0 when nothing has to be waited for.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

from msgspec import Struct

_MINUTE_S = 60.0
_STEPS_ASIDE_AFTER_S = 1.0
_GOES_FIRST_AFTER_S = 5.0

W = TypeVar("W")


class RequestRate:
    """Requests a minute by the generic cell rate algorithm; a tenth of a minute's worth may come at once."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._spacing_s = _MINUTE_S / per_minute
        self._tolerance_s = self._spacing_s * (max(1.0, per_minute / 10) - 1)
        self._due_s = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """How long until one more may go."""
        return max(self._due_s - self._tolerance_s - now_s, 0.0)

    def take(self, now_s: float) -> None:
        """Count one that goes."""
        self._due_s = max(self._due_s, now_s) + self._spacing_s

    def give_back(self) -> None:
        """Uncount one that did not go after all."""
        self._due_s -= self._spacing_s


class TokenBucket:
    """Tokens a minute. A request debits its prompt and the answer it reserves; what was not used comes back."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._refill = per_minute / _MINUTE_S
        self._level = float(per_minute)
        self._at_s: float | None = None

    def level(self, now_s: float) -> float:
        """Tokens in the bucket now; below 0 when more was used than reserved."""
        if self._at_s is not None:
            self._level = min(self._level + max(now_s - self._at_s, 0.0) * self._refill, float(self.per_minute))
        self._at_s = now_s
        return self._level

    def wait_s(self, tokens: int, now_s: float) -> float:
        """How long until so many may be debited. More than the bucket holds goes when it is full."""
        missing = min(tokens, self.per_minute) - self.level(now_s)
        return max(missing / self._refill, 0.0)

    def debit(self, tokens: int, now_s: float) -> None:
        """Take tokens out."""
        self._level = self.level(now_s) - tokens

    def credit(self, tokens: int, now_s: float) -> None:
        """Put tokens back that were reserved and not used; a negative number takes more out."""
        self._level = min(self.level(now_s) + tokens, float(self.per_minute))


class Waiting(Struct, frozen=True):
    """What one in the rate's line needs."""

    tokens: int
    since_s: float


class RateLine(Generic[W]):
    """Those who wait for a rate. A large one does not hold up smaller ones for long, and is not overtaken for ever."""

    def __init__(self, requests: RequestRate | None = None, tokens: TokenBucket | None = None) -> None:
        self.requests = requests
        self.tokens = tokens
        self._line: OrderedDict[W, Waiting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._line)

    def join(self, waiter: W, tokens: int, now_s: float) -> None:
        """Stand at the end."""
        self._line[waiter] = Waiting(tokens, now_s)

    def leave(self, waiter: W) -> None:
        """Step out of the line."""
        self._line.pop(waiter, None)

    def next(self, now_s: float) -> W | None:
        """Take out the one who goes now and debit what it needs; None when nobody may go yet."""
        for waiter, waiting in self._candidates(now_s):
            if self._wait_s(waiting.tokens, now_s) <= 0:
                del self._line[waiter]
                self._debit(waiting.tokens, now_s)
                return waiter
        return None

    def look_again_s(self, now_s: float) -> float | None:
        """After how long somebody may be able to go; None when nobody waits."""
        if not self._line:
            return None
        first = next(iter(self._line.values()))
        turns = [self._wait_s(waiting.tokens, now_s) for _, waiting in self._candidates(now_s)]
        steps_aside_s = first.since_s + _STEPS_ASIDE_AFTER_S - now_s
        return min([*turns, *([steps_aside_s] if steps_aside_s > 0 else [])])

    def _candidates(self, now_s: float) -> list[tuple[W, Waiting]]:
        everyone = list(self._line.items())
        waited_s = now_s - everyone[0][1].since_s if everyone else 0.0
        lets_others_pass = _STEPS_ASIDE_AFTER_S <= waited_s < _GOES_FIRST_AFTER_S
        return everyone if lets_others_pass else everyone[:1]

    def _wait_s(self, tokens: int, now_s: float) -> float:
        by_requests = self.requests.wait_s(now_s) if self.requests is not None else 0.0
        by_tokens = self.tokens.wait_s(tokens, now_s) if self.tokens is not None else 0.0
        return max(by_requests, by_tokens)

    def _debit(self, tokens: int, now_s: float) -> None:
        if self.requests is not None:
            self.requests.take(now_s)
        if self.tokens is not None:
            self.tokens.debit(tokens, now_s)
