"""What the gateway asks of the rest of the house. Every call returns at once; nothing here waits for a database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from perilune.catalog.models import Model
from perilune.gateway.budgets import Count, KeyLimits
from perilune.gateway.record import AttemptRecord, PlainRecord, RequestRecord
from perilune.gateway.slots import Slot
from perilune.providers.contract.outcome import Outcome
from perilune.quota.snapshot import Refusal, Snapshot
from perilune.quota.verdict import Verdict


class Ledger(Protocol):
    """Takes rows; writing happens in batches, elsewhere."""

    def record(self, request: RequestRecord, attempts: Sequence[AttemptRecord]) -> None:
        """Keep one request with its attempts."""
        ...

    def record_plain(self, plain: PlainRecord) -> None:
        """Keep a request that was answered at its first attempt; the same as recording `records_of` it."""
        ...


class Wanted(Struct, frozen=True, kw_only=True):
    """What is about to be sent. Units: tokens; `output_tokens` is the limit that is asked for."""

    request: str
    owner: str
    key: KeyLimits | None
    slot: Slot
    model: str
    prompt_tokens: int
    output_tokens: int


class Purse(Protocol):
    """Budgets: what may be spent."""

    def stop(self, slot: Slot) -> Outcome | None:
        """Why a slot that costs money is not used now, by what is known in memory."""
        ...

    def is_soft(self, key: KeyLimits | None) -> bool:
        """Whether a soft budget of a key is used up."""
        ...

    def concerns(self, owner: str, key: KeyLimits | None, slot: Slot) -> bool:
        """Whether a budget concerns a request at all."""
        ...

    async def hold(self, wanted: Wanted) -> tuple[Count, ...] | Outcome:
        """Hold what a request may cost; the outcome where a budget does not allow it."""
        ...


class NoPurse:
    """Where nothing limits what is spent."""

    def stop(self, slot: Slot) -> Outcome | None:
        return None

    def is_soft(self, key: KeyLimits | None) -> bool:
        return False

    def concerns(self, owner: str, key: KeyLimits | None, slot: Slot) -> bool:
        return False

    async def hold(self, wanted: Wanted) -> tuple[Count, ...] | Outcome:
        return ()


class Accounts(Protocol):
    """What is known of the accounts from the monitor's readings, in memory."""

    def verdict(self, account: str, now: datetime) -> Verdict | None:
        """Whether the account can be used by its last reading and live refusals; None is unknown."""
        ...

    def snapshot(self, account: str) -> Snapshot | None:
        """The last reading."""
        ...

    def traits(self, account: str, plan: str, model: str) -> Model | None:
        """What the model can do: the live list over the catalogue; None for an unknown model."""
        ...

    def refused(self, refusal: Refusal) -> None:
        """A vendor said no: remember it, and read the account anew in the background."""
        ...

    def doubtful(self, account: str, now: datetime) -> None:
        """By what was sent since the last reading nothing may be left: a fresh one is wanted soon."""
        ...

    def served(self, account: str, now: datetime) -> None:
        """A success: what a refusal had said is over, a reading of full is doubtful."""
        ...
