"""What is said of jobs: a new one, a claim, a heartbeat's answer, a row."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

Stop = Literal["cancelled", "superseded"]


class JobState(StrEnum):
    """Where a job stands. `deferred` waits for a moment, `queued` for a worker."""

    QUEUED = "queued"
    DEFERRED = "deferred"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class NewJob(Struct, frozen=True, kw_only=True):
    """A job to be done. Of one `subject` one job runs at a time; repositories take turns. A lower priority is first."""

    id: str
    key: str
    kind: str
    input: bytes
    repository: str = ""
    subject: str = ""
    priority: int = 0
    not_before: datetime | None = None


class Submitted(Struct, frozen=True):
    """The job that a key stands for, and whether it is new."""

    id: str
    is_new: bool


class Claim(Struct, frozen=True, kw_only=True):
    """A job that is ours until the lease ends. `fence` goes into every write; `faults` counts how often it broke."""

    id: str
    kind: str
    input: bytes
    subject: str
    fence: int
    faults: int


class Beat(Struct, frozen=True):
    """What a heartbeat tells: whether the job is still ours, and whether it is to stop."""

    is_ours: bool
    stop: Stop | None = None


class JobRow(Struct, frozen=True, kw_only=True):
    """A job as it stands."""

    id: str
    key: str
    kind: str
    repository: str
    subject: str
    state: JobState
    input: bytes
    output: bytes | None
    reason: str | None
    submitted_at: datetime
    not_before: datetime
    ended_at: datetime | None
    fence: int
    worker: str | None = None
    lease_until: datetime | None = None
