"""What a worker is handed: a queue of durable jobs, as `perilune.store.jobs` keeps them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol

from perilune.store.job_rows import Beat, Claim, JobState


class JobQueue(Protocol):
    """The part of the store that a worker needs. Calls are synchronous and made in threads."""

    def claim(self, worker: str, kinds: Collection[str], lease: timedelta, at: datetime) -> Claim | None: ...

    def heartbeat(self, claim: Claim, lease: timedelta, at: datetime) -> Beat: ...

    def step_output(self, job: str, name: str, input_hash: str, version: int) -> bytes | None: ...

    def keep_step(
        self, claim: Claim, name: str, input_hash: str, version: int, output: bytes, at: datetime
    ) -> bool: ...

    def is_ours(self, claim: Claim) -> bool: ...

    def finish(
        self, claim: Claim, state: JobState, at: datetime, output: bytes | None = None, reason: str | None = None
    ) -> bool: ...

    def defer(self, claim: Claim, until: datetime, reason: str, *, is_fault: bool = False) -> bool: ...
