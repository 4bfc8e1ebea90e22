"""What the gateway asks of the rest of the house. Every call returns at once; nothing here waits for a database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from perilune.catalog.models import Model
from perilune.gateway.record import AttemptRecord, PlainRecord, RequestRecord
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

    def served(self, account: str, now: datetime) -> None:
        """A success: what a refusal had said is over, a reading of full is doubtful."""
        ...
