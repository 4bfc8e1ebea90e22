"""What the reviewer is handed: something that answers, a view of what is left, a store of paid answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from msgspec import Struct, field

from perilune.core.errors import Problem
from perilune.core.money import Money

Thinking = Literal["off", "low", "high", "max"] | None
Objective = Literal["request", "token"]
Pass = Literal["generate", "reask", "verify", "explain"]


class ModelRequest(Struct, frozen=True, kw_only=True):
    """One question for a model. `schema` is that of the answer; run, unit and pass_name label the ledger row."""

    system: str
    user: str
    max_output_tokens: int
    thinking: Thinking = None
    schema: Mapping[str, object] = field(default_factory=dict)
    schema_name: str = "answer"
    route: str = "review"
    run: str = ""
    unit: str = ""
    pass_name: Pass = "generate"

    @property
    def size(self) -> int:
        """UTF-8 bytes of the prompt."""
        return len(self.system.encode()) + len(self.user.encode())


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of one answer; None where the vendor did not say. Reasoning is part of `output_tokens`."""

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


class Attempt(Struct, frozen=True, kw_only=True):
    """One try of one slot."""

    account: str
    model: str
    outcome: str
    took_s: float = 0.0


class ModelAnswer(Struct, frozen=True, kw_only=True):
    """A finished answer, raw. `finish_reason` is `stop` or `length`."""

    text: str
    finish_reason: str = "stop"
    usage: Usage = Usage()
    model: str | None = None
    account: str | None = None
    plan: str | None = None
    cost: Money | None = None
    attempts: tuple[Attempt, ...] = ()
    request_id: str | None = None


class Deferred(Struct, frozen=True, kw_only=True):
    """No answer before `until`, None where the time is not known."""

    problem: Problem
    until: datetime | None = None
    attempts: tuple[Attempt, ...] = ()


class Refused(Struct, frozen=True, kw_only=True):
    """No answer to this question. `is_content`: a content filter; `token_limit`: the prompt is above the window."""

    problem: Problem
    is_content: bool = False
    token_limit: int | None = None
    may_retry: bool = False
    attempts: tuple[Attempt, ...] = ()


AnswerOutcome = ModelAnswer | Deferred | Refused


class Answerer(Protocol):
    """Something that answers a request: the gateway in process, or a scripted model."""

    async def answer(self, request: ModelRequest) -> AnswerOutcome: ...


class WindowState(Struct, frozen=True, kw_only=True):
    """One window of an account as last read.

    Units: `remaining` in requests where `unit` is `requests`; `used_ratio` 0..1. `reserved` is what other runs hold, in
    requests or as a ratio. `samples` are the shares of this window that single review requests took, newest last.
    """

    id: str
    unit: str
    used_ratio: Decimal | None = None
    limit: Decimal | None = None
    remaining: Decimal | None = None
    span_s: int | None = None
    resets_at: datetime | None = None
    reserved: Decimal = Decimal(0)
    samples: tuple[Decimal, ...] = ()


class Prices(Struct, frozen=True, kw_only=True):
    """Money per million tokens, in force now."""

    hit: Decimal
    miss: Decimal
    output: Decimal
    currency: str


class SlotView(Struct, frozen=True, kw_only=True):
    """One slot of the review route and what is left on its account.

    Shape: `objective` says whether requests or tokens are scarce; `request_weight` is how much dearer one request of
    this model is than a plain one; `bytes_per_token` is what the ledger has learned, None before that.
    """

    account: str
    model: str
    plan: str = ""
    objective: Objective = "token"
    is_usable: bool = True
    blocked_by: str | None = None
    blocked_until: datetime | None = None
    windows: tuple[WindowState, ...] = ()
    balance: Money | None = None
    balance_reserved: Decimal = Decimal(0)
    prices: Prices | None = None
    context_length: int | None = None
    body_limit: int | None = None
    concurrency: int | None = None
    requests_per_minute: int | None = None
    thinks_always: bool = False
    default_thinking: Thinking = None
    request_weight: Decimal = Decimal(1)
    bytes_per_token: Decimal | None = None
    seconds_per_request: float | None = None
    is_stale: bool = False
    read_at: datetime | None = None


Place = tuple[str, str]
"""An account, and the id of one of its windows or `balance`."""

Amounts = Mapping[Place, Decimal]
"""What is held of each place: requests, a ratio or money, as the place counts."""


class QuotaView(Protocol):
    """The slots of the review route in order, with what is left on each beside what other runs hold of it."""

    def slots(self, run: str = "") -> Sequence[SlotView]: ...

    async def refresh(self) -> None:
        """Read anew, with free calls, what is too old to plan with; what cannot be read stays stale."""


class Reservations(Protocol):
    """What runs hold of the accounts, shared by all processes on one store."""

    async def reserve(self, run: str, wanted: Amounts, seen: Amounts) -> bool:
        """Hold amounts for a run; False where others hold something else by now than the plan has seen."""

    async def settle(self, run: str, left: Amounts) -> None:
        """Hold only what is still to come of a run; nothing where that is empty."""


class NoQuota:
    """The view where no account is configured."""

    def slots(self, run: str = "") -> Sequence[SlotView]:
        return ()

    async def refresh(self) -> None:
        return None


class NoReservations:
    """Holds nothing: there is nobody to hold it against."""

    async def reserve(self, run: str, wanted: Amounts, seen: Amounts) -> bool:
        return True

    async def settle(self, run: str, left: Amounts) -> None:
        return None


class AnswerStore(Protocol):
    """Finished answers by the hash of what was asked, so that none is bought twice."""

    async def get(self, key: str) -> ModelAnswer | None: ...

    async def put(self, key: str, answer: ModelAnswer) -> None: ...
