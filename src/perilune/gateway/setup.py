"""One version of the configuration, resolved; a request keeps the one it began with to its end."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from perilune.catalog.agents import Agent, Agents
from perilune.config.schema import GatewayConfig
from perilune.core.messages import Language, Voice
from perilune.dialects.seal import Seal
from perilune.gateway.admission import Admission
from perilune.gateway.clocks import Clocks
from perilune.gateway.dispatch import Dispatcher
from perilune.gateway.ports import Accounts, Ledger, NoPurse, Purse
from perilune.gateway.rates import Rates
from perilune.gateway.room import Room
from perilune.gateway.shaping import Corrections
from perilune.gateway.slots import Routes
from perilune.gateway.spread import CHUNK_GAP_S, Spread
from perilune.gateway.states import States
from perilune.gateway.sticky import Stays
from perilune.gateway.thoughts import ThoughtStore

if TYPE_CHECKING:
    from perilune.gateway.stream import AnswerStream

_CORRECTED_FOR_S = 24 * 3600.0


class Setup(Struct, kw_only=True):
    """What configuration decides."""

    config: GatewayConfig
    routes: Routes
    clocks: Clocks
    agents: Agents
    language: Language = "en"
    known_agents: dict[str, Agent | None] = {}


class Counters(Struct):
    """Plain numbers, collected when somebody asks."""

    requests: int = 0
    attempts: int = 0
    failovers: int = 0
    client_gone: int = 0
    streams_broken: int = 0
    in_flight: int = 0
    adjusted: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    turned_away: dict[str, int] = {}
    chunk_gaps: Spread = field(default_factory=lambda: Spread.over(CHUNK_GAP_S))

    def turn_away(self, code: str) -> None:
        """Count one that was refused before it was a request of a route. `code` is one of ours."""
        self.turned_away[code] = self.turned_away.get(code, 0) + 1


class LiveTraits:
    """What 400s taught about models of accounts, for a day."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[float, Corrections]] = {}

    def of(self, account: str, model: str, surface: str, now_s: float) -> Corrections:
        """What is known to be refused there."""
        entry = self._kept.get((account, model, surface))
        return entry[1] if entry is not None and entry[0] > now_s else Corrections()

    def knows(self, account: str, model: str, surface: str) -> bool:
        """Whether anything was ever learned there."""
        return (account, model, surface) in self._kept

    def learn(self, account: str, model: str, surface: str, corrections: Corrections, now_s: float) -> None:
        """A corrected request was answered: correct the next ones at once. Switched-off thinking is for one request."""
        kept = replace(corrections, thinking_off=False)
        if kept != Corrections():
            self._kept[account, model, surface] = (now_s + _CORRECTED_FOR_S, kept)


class Services(Struct, kw_only=True):
    """What a request works with, whichever version of the configuration it has."""

    admission: Admission
    states: States
    dispatcher: Dispatcher
    accounts: Accounts
    ledger: Ledger
    now: Callable[[], datetime]
    jitter: Callable[[], float]
    seal: Seal
    thoughts: ThoughtStore | None
    stays: Stays
    live_traits: LiveTraits
    counters: Counters
    room: Room
    streams: "set[AnswerStream]" = field(default_factory=set)
    rates: Rates = field(default_factory=Rates)
    purse: Purse = field(default_factory=NoPurse)

    def voice(self, language: Language) -> Voice:
        """The voice of errors: UTC, because nobody knows where the client is."""
        return Voice(language=language, now=self.now())
