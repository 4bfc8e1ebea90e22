"""Targets: accounts that can be read, with their credential taken only when it is needed."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from perilune.monitor.sources import SourceOption
from perilune.providers.contract.reading import Binding
from perilune.quota.held import Known


class Target(Struct, frozen=True, kw_only=True):
    """One account to read. `bind` reads its credential and may raise PL-SECRET-READ, PL-CRED-NONE, PL-401-SHAPE.

    Shape: `sources` are tried in order; empty stands for `bind` alone. `sessions` are web sessions that may enrich what
    a key reads, None where that is off.
    """

    known: Known
    host: str
    bind: Callable[[], Binding]
    poll_interval_s: int = 300
    sources: tuple[SourceOption, ...] = ()
    sessions: Callable[[], Iterator[Binding]] | None = None

    @property
    def name(self) -> str:
        return self.known.name
