"""A metric family is a value: its name, what it says, its labels, and how its samples follow from the facts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from perilune.gateway.admission import GroupState
from perilune.gateway.meter import Sums
from perilune.gateway.spread import Spread
from perilune.monitor.counted import ReadCounts
from perilune.quota.document import AccountDocument
from perilune.store.review_totals import ReviewTotals

Sample = tuple[tuple[str, ...], float | Spread]


class SlotNow(Struct, frozen=True):
    """A slot and the word for how it stands."""

    route: str
    account: str
    state: str


class GatewayFacts(Struct, frozen=True, kw_only=True):
    """The gateway of the process that was asked. `groups` holds accounts with the state of their cap's group."""

    sums: Sums
    groups: Mapping[str, GroupState]
    slots: Sequence[SlotNow]
    adjusted: Mapping[str, int]
    dropped: int
    recalls: Mapping[str, int] = {}
    turned_away: Mapping[str, int] = {}
    chunk_gaps: Spread | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """What an exposition is made of. `gateway` and `reads` are None where no service was asked."""

    accounts: Sequence[AccountDocument]
    reviews: ReviewTotals
    notifications: Mapping[tuple[str, str], int] = {}
    gateway: GatewayFacts | None = None
    reads: ReadCounts | None = None


class Family(Struct, frozen=True, kw_only=True):
    """One family. A counter's name ends in `_total`; a histogram's samples are spreads."""

    name: str
    kind: Literal["gauge", "counter", "histogram"] = "gauge"
    help: str
    labels: tuple[str, ...] = ()
    samples: Callable[[Facts], Iterable[Sample]]
