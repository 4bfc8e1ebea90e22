"""Rates of account groups: requests and tokens a minute, as the user set them or a refusal named them. Source: 6.5."""

import math
import time
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from perilune.gateway.admission.rates import RateGate
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is

LEARNED_FOR_S = 24 * 3600.0


class Rate(Struct, frozen=True):
    """Requests and tokens a minute; None is no limit."""

    rpm: int | None = None
    tpm: int | None = None

    def within(self, other: "Rate") -> "Rate":
        """The smaller of both, each for itself."""
        return Rate(_least(self.rpm, other.rpm), _least(self.tpm, other.tpm))


class Rates:
    """The gates of all groups that have a rate. Belongs to one event loop.

    `on_learned` hears of each rate that a refusal named: group, `rpm` or `tpm`, value. Units: `clock` steady seconds.
    """

    def __init__(
        self,
        on_learned: Callable[[str, str, int], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_learned = on_learned
        self._clock = clock
        self._configured: dict[str, Rate] = {}
        self._learned: dict[str, Rate] = {}
        self._ends: dict[tuple[str, str], float] = {}
        self._next_end_s = math.inf
        self._gates: dict[str, RateGate] = {}

    def gate(self, group: str) -> RateGate | None:
        """Where requests of a group wait for their turn; None where no rate is known."""
        if self._next_end_s < math.inf and self._clock() >= self._next_end_s:
            self._forget_ended()
        return self._gates.get(group)

    def configure(self, rates: Mapping[str, Rate]) -> None:
        """The rates that the user set, of every group; an unchanged one keeps its count."""
        self._configured = dict(rates)
        for group in {*rates, *self._gates}:
            self._apply(group)

    def learn(self, group: str, outcome: Outcome) -> None:
        """A refusal that names a rate: it holds from now on."""
        if outcome.limit is None or outcome.limit <= 0:
            return
        match outcome.kind:
            case Is.RATE_RPM:
                named = Rate(rpm=outcome.limit)
            case Is.RATE_TPM:
                named = Rate(tpm=outcome.limit)
            case _:
                return
        self.recall(group, named)
        if self._on_learned is not None:
            self._on_learned(group, "rpm" if named.rpm else "tpm", outcome.limit)

    def recall(self, group: str, rate: Rate, for_s: float = LEARNED_FOR_S) -> None:
        """Believe a rate that a refusal named, here or in another process, now or before a restart, for a while."""
        known = self._learned.get(group, Rate())
        self._learned[group] = Rate(rate.rpm or known.rpm, rate.tpm or known.tpm)
        until_s = self._clock() + for_s
        self._ends |= {(group, name): until_s for name in ("rpm", "tpm") if getattr(rate, name)}
        self._next_end_s = min(self._ends.values(), default=math.inf)
        self._apply(group)

    def _forget_ended(self) -> None:
        """What a refusal named is not believed for good: the account may have another tier by now."""
        now_s = self._clock()
        for group, name in [key for key, until_s in self._ends.items() if until_s <= now_s]:
            del self._ends[group, name]
            self._learned[group] = replace(self._learned[group], **{name: None})
            self._apply(group)
        self._next_end_s = min(self._ends.values(), default=math.inf)

    def _apply(self, group: str) -> None:
        rate = self._configured.get(group, Rate()).within(self._learned.get(group, Rate()))
        if group in self._gates or rate != Rate():
            self._gates.setdefault(group, RateGate()).configure(rate.rpm, rate.tpm)


def _least(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)
