"""What our HTTP API and the pages ask of the running service."""

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct, field

from perilune.core.errors import Problem
from perilune.core.messages import Language
from perilune.core.money import MoneyDocument
from perilune.quota.document import AccountDocument, ErrorDocument, StatusDocument
from perilune.quota.forecast import ForecastDocument
from perilune.quota.history import HistoryDocument


class SlotDocument(Struct, frozen=True, kw_only=True):
    """One slot of a route as it stands now. Units: `first_content_p95_ms` milliseconds over today's requests."""

    account: str
    model: str | None
    role: Literal["main", "fallback"]
    position: int
    state: str
    reason: str | None
    until: datetime | None
    in_flight: int
    cap: int | None
    queued: int = 0
    thinking: str | None = None
    verified_by: Literal["catalog", "probe", "traffic"] | None = None
    verified_at: datetime | None = None
    closed_to: dict[str, str] = field(default_factory=dict)


class RouteDocument(Struct, frozen=True, kw_only=True):
    """One route and its slots in order."""

    name: str
    match: list[str]
    slots: list[SlotDocument]


class LeasesDocument(Struct, frozen=True, kw_only=True):
    """Where leases are kept, and what is done while that cannot be asked: `divide`, `closed` or `open`."""

    kept_by: Literal["locks", "rows", "redis", "memory"]
    trouble: Literal["divide", "closed", "open"] | None = None
    hosts: int | None = None


class RoutesDocument(Struct, frozen=True, kw_only=True):
    """`perilune.routes.v1`: the gateway now. `problems` is what keeps it from following the configuration file."""

    schema: Literal["perilune.routes.v1"] = "perilune.routes.v1"
    generated_at: datetime
    listen: str
    routes: list[RouteDocument]
    requests_today: int
    failovers_today: int
    first_content_p95_ms: int | None
    spent_today: list[MoneyDocument] = field(default_factory=list)
    problems: list[ErrorDocument] = field(default_factory=list)
    leases: LeasesDocument | None = None


class LedgerRow(Struct, frozen=True, kw_only=True):
    """One request as the ledger holds it. Units: times in milliseconds; `cost` exact decimal text."""

    id: str
    received_at: datetime
    route: str | None
    account: str | None
    surface: str
    model: str | None
    outcome: str
    code: str | None
    attempts: int
    input_tokens: int | None
    output_tokens: int | None
    cost: str | None
    currency: str | None
    total_ms: int | None


class LedgerDocument(Struct, frozen=True, kw_only=True):
    """`perilune.ledger.v1`: the newest requests first."""

    schema: Literal["perilune.ledger.v1"] = "perilune.ledger.v1"
    generated_at: datetime
    requests: list[LedgerRow]


class EventDocument(Struct, frozen=True, kw_only=True):
    """Something that happened. `text` is in the reader's words."""

    at: datetime
    kind: str
    account: str | None
    text: str


class ReviewDocument(Struct, frozen=True, kw_only=True):
    """One finished review in short."""

    id: str
    started_at: datetime
    status: str
    title: str
    findings: dict[str, int]
    requests: int | None
    took_s: float | None


class OpenReviewDocument(Struct, frozen=True, kw_only=True):
    """One review that has not ended. `until` is when it goes on, `reason` the code of what put it off."""

    id: str
    state: Literal["queued", "running", "deferred"]
    title: str
    submitted_at: datetime
    until: datetime | None
    reason: str | None


class ReviewsDocument(Struct, frozen=True, kw_only=True):
    """`perilune.reviews.v1`: the newest reviews first; `open` are those that have not ended."""

    schema: Literal["perilune.reviews.v1"] = "perilune.reviews.v1"
    generated_at: datetime
    reviews: list[ReviewDocument]
    open: list[OpenReviewDocument] = []


class AddedKey(Struct, frozen=True, kw_only=True):
    """What came of a pasted key: the account it became, or the problem; and what was cleaned off it."""

    account: AccountDocument | None = None
    problem: Problem | None = None
    removed: list[str] = field(default_factory=list)


class ServiceFacts(Struct, frozen=True, kw_only=True):
    """What does not change while the service runs."""

    version: str
    listen: str
    is_demo: bool = False
    wants_key: bool = False
    upstream: str | None = None


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether the service can take requests. No usable slot is ready all the same: restarting brings no quota back."""

    ready: bool
    degraded: bool
    usable_slots: list[str]
    problem: str | None = None


class Service(Protocol):
    """The running service, as the API and the pages see it. Nothing here gives a secret back."""

    @property
    def facts(self) -> ServiceFacts: ...

    def now(self) -> datetime: ...

    async def status(self, language: Language) -> StatusDocument: ...

    async def routes(self, language: Language) -> RoutesDocument: ...

    async def ledger(self, limit: int) -> LedgerDocument: ...

    async def events(self, limit: int, language: Language) -> list[EventDocument]: ...

    async def reviews(self, limit: int) -> ReviewsDocument: ...

    async def history(self, since: str, by: str, tz: str | None) -> HistoryDocument:
        """What was recorded. Raises: PL-USAGE for what is no time, dimension or zone."""
        ...

    async def forecast(self, language: Language) -> ForecastDocument: ...

    async def readiness(self) -> Readiness: ...

    async def metrics(self) -> bytes: ...

    async def refresh(self, account: str | None) -> None: ...

    async def add_key(self, paste: str) -> AddedKey: ...
