"""Durable jobs: submitted once per key, worked on by one worker at a time under a lease with a fencing number.

Whoever lost the lease cannot write: every write of a worker names the number it was given when it claimed the job.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select, text, update

from perilune.store.engine import Store
from perilune.store.job_rows import Beat, Claim, JobRow, JobState, NewJob, Stop, Submitted
from perilune.store.job_tables import job_steps, jobs
from perilune.store.leases import now_ms
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import insert_for

_WAITING = (JobState.QUEUED, JobState.DEFERRED)
_OPEN = (*_WAITING, JobState.RUNNING)


class Jobs:
    """The queue. Calls are synchronous; on an event loop they belong into a thread.

    Moments are handed in, but where a server keeps the store its clock counts, so that hosts agree on leases.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def submit(self, job: NewJob, at: datetime) -> Submitted:
        """Queue a job; one that was submitted under the same key before is given back, whatever became of it."""
        with self._store.begin() as connection:
            now = _now(connection, at)
            row = {
                "id": job.id, "key": job.key, "kind": job.kind, "input": job.input, "repository": job.repository,
                "subject": job.subject or job.key, "priority": job.priority, "state": JobState.QUEUED.value,
                "submitted_at": now, "fence": 0, "faults": 0,
                "not_before": now if job.not_before is None else to_ms(job.not_before),
            }  # fmt: skip
            connection.execute(insert_for(connection, jobs).values(row).on_conflict_do_nothing(index_elements=["key"]))
            found = connection.execute(select(jobs.c.id).where(jobs.c.key == job.key)).scalar_one()
        return Submitted(found, found == job.id)

    def claim(self, worker: str, kinds: Collection[str], lease: timedelta, at: datetime) -> Claim | None:
        """The next job for a worker, repositories in turn; also one whose worker has been silent for its lease."""
        with self._store.begin() as connection:
            _alone(connection)
            now = _now(connection, at)
            _take_back(connection, now)
            chosen = _next(connection, kinds, now)
            if chosen is None:
                return None
            return _given(connection, chosen, worker, lease, now)

    def take(self, job: str, worker: str, lease: timedelta, at: datetime, *, gone: str | None = None) -> Claim | None:
        """One job by its id, before its moment too; None where it has ended or another worker holds it.

        `gone` is a worker that is known to be dead: its lease need not run out.
        """
        with self._store.begin() as connection:
            _alone(connection)
            now = _now(connection, at)
            chosen = connection.execute(select(jobs).where(jobs.c.id == job)).mappings().first()
            if chosen is None or chosen["state"] not in [state.value for state in _OPEN]:
                return None
            is_held = chosen["state"] == JobState.RUNNING.value and (chosen["lease_until"] or 0) > now
            if is_held and (gone is None or chosen["worker"] != gone):
                return None
            return _given(connection, chosen, worker, lease, now)

    def heartbeat(self, claim: Claim, lease: timedelta, at: datetime) -> Beat:
        """Prolong the lease of a job that is still ours."""
        with self._store.begin() as connection:
            until = _now(connection, at) + lease // timedelta(milliseconds=1)
            if not _write(connection, claim, {"lease_until": until}):
                return Beat(is_ours=False)
            asked = connection.execute(select(jobs.c.asked_to_stop).where(jobs.c.id == claim.id)).scalar()
        return Beat(is_ours=True, stop=asked)

    def step_output(self, job: str, name: str, input_hash: str, version: int) -> bytes | None:
        """What a step has given before for the same input under the same schema version."""
        named = (job_steps.c.job == job) & (job_steps.c.name == name) & (job_steps.c.input_hash == input_hash)
        asked = select(job_steps.c.output).where(named, job_steps.c.version == version)
        with self._store.read() as connection:
            found: bytes | None = connection.execute(asked).scalar()
        return found

    def keep_step(self, claim: Claim, name: str, input_hash: str, version: int, output: bytes, at: datetime) -> bool:
        """Keep what a step gave; False, and nothing is kept, where the job is no longer ours."""
        with self._store.begin() as connection:
            if not _write(connection, claim, {"state": JobState.RUNNING.value}):
                return False
            row = {
                "job": claim.id, "name": name, "input_hash": input_hash, "version": version, "output": output,
                "at": _now(connection, at),
            }  # fmt: skip
            insert = insert_for(connection, job_steps).values(row)
            changed = {"version": version, "output": output, "at": row["at"]}
            keys = ["job", "name", "input_hash"]
            connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changed))
        return True

    def is_ours(self, claim: Claim) -> bool:
        """Whether the job is still held under this claim; asked right before a write to the outside."""
        held = (jobs.c.id == claim.id) & (jobs.c.fence == claim.fence) & (jobs.c.state == JobState.RUNNING.value)
        with self._store.read() as connection:
            return connection.execute(select(jobs.c.id).where(held)).first() is not None

    def finish(
        self, claim: Claim, state: JobState, at: datetime, output: bytes | None = None, reason: str | None = None
    ) -> bool:
        """End a job; False where it is no longer ours."""
        with self._store.begin() as connection:
            values = {"state": state.value, "output": output, "reason": _cut(reason), "lease_until": None}
            return _write(connection, claim, {**values, "ended_at": _now(connection, at)})

    def defer(self, claim: Claim, until: datetime, reason: str, *, is_fault: bool = False) -> bool:
        """Put a job back until a moment; False where it is no longer ours."""
        with self._store.begin() as connection:
            values = {"state": JobState.DEFERRED.value, "not_before": to_ms(until), "lease_until": None}
            return _write(connection, claim, {**values, "reason": _cut(reason), "faults": claim.faults + is_fault})

    def stop(self, job: str, how: Stop, reason: str, at: datetime) -> bool:
        """End a job that waits; ask one that runs to stop at its next step. False where it has ended already."""
        with self._store.begin() as connection:
            _alone(connection)
            return _stop(connection, jobs.c.id == job, how, reason, _now(connection, at)) > 0

    def supersede(self, subject: str, kinds: Collection[str], keep: str, reason: str, at: datetime) -> int:
        """Stop the open jobs of these kinds about a subject, but one; how many there were."""
        which = (jobs.c.subject == subject) & jobs.c.kind.in_(list(kinds)) & (jobs.c.id != keep)
        with self._store.begin() as connection:
            _alone(connection)
            return _stop(connection, which, "superseded", reason, _now(connection, at))

    def recover(self, at: datetime) -> int:
        """Queue again what silent workers have left; how many there were. Claiming does the same first."""
        with self._store.begin() as connection:
            return _take_back(connection, _now(connection, at))

    def row(self, job: str) -> JobRow | None:
        """A job by its id."""
        return self._one(jobs.c.id == job)

    def recent(self, limit: int, *, open_only: bool = False, subject: str | None = None) -> list[JobRow]:
        """The newest jobs first, of one subject where one is named."""
        asked = select(jobs).order_by(jobs.c.submitted_at.desc(), jobs.c.id.desc()).limit(limit)
        if subject is not None:
            asked = asked.where(jobs.c.subject == subject)
        if open_only:
            asked = asked.where(jobs.c.state.in_([state.value for state in _OPEN]))
        with self._store.read() as connection:
            return [_row(row) for row in connection.execute(asked).mappings()]

    def repositories(self) -> list[str]:
        """Every repository that a job was ever about."""
        asked = select(jobs.c.repository).where(jobs.c.repository != "").distinct().order_by(jobs.c.repository)
        with self._store.read() as connection:
            return list(connection.execute(asked).scalars())

    def _one(self, which: Any) -> JobRow | None:
        with self._store.read() as connection:
            found = connection.execute(select(jobs).where(which)).mappings().first()
        return None if found is None else _row(found)


def _next(connection: Connection, kinds: Collection[str], now: int) -> RowMapping | None:
    """The first waiting job of the most urgent, whose repository has waited longest and whose subject is free."""
    busy = select(jobs.c.subject).where(jobs.c.state == JobState.RUNNING.value)
    turns = (
        select(jobs.c.repository.label("name"), func.max(jobs.c.claimed_at).label("last"))
        .group_by(jobs.c.repository)
        .subquery()
    )
    asked = (
        select(jobs)
        .join(turns, turns.c.name == jobs.c.repository)
        .where(jobs.c.state.in_([state.value for state in _WAITING]), jobs.c.kind.in_(list(kinds)))
        .where(jobs.c.not_before <= now, jobs.c.subject.not_in(busy))
        .order_by(jobs.c.priority, func.coalesce(turns.c.last, 0), jobs.c.submitted_at, jobs.c.id)
        .limit(1)
    )
    return connection.execute(asked).mappings().first()


def _given(connection: Connection, chosen: RowMapping, worker: str, lease: timedelta, now: int) -> Claim:
    """A job handed to a worker under the next number."""
    fence = chosen["fence"] + 1
    values = {
        "state": JobState.RUNNING.value, "worker": worker, "claimed_at": now, "fence": fence,
        "lease_until": now + lease // timedelta(milliseconds=1),
    }  # fmt: skip
    connection.execute(update(jobs).where(jobs.c.id == chosen["id"]).values(values))
    return Claim(**{name: chosen[name] for name in ("id", "kind", "input", "subject", "faults")}, fence=fence)


def _take_back(connection: Connection, now: int) -> int:
    silent = (jobs.c.state == JobState.RUNNING.value) & or_(jobs.c.lease_until.is_(None), jobs.c.lease_until <= now)
    back = update(jobs).where(silent, jobs.c.asked_to_stop.is_(None)).values(state=JobState.QUEUED.value)
    ended = {"state": jobs.c.asked_to_stop, "ended_at": now, "lease_until": None}
    connection.execute(update(jobs).where(silent, jobs.c.asked_to_stop.is_not(None)).values(ended))
    return connection.execute(back).rowcount


def _stop(connection: Connection, which: Any, how: Stop, reason: str, now: int) -> int:
    waiting = jobs.c.state.in_([state.value for state in _WAITING])
    ended = {"state": how, "reason": _cut(reason), "ended_at": now}
    stopped = connection.execute(update(jobs).where(which, waiting).values(ended)).rowcount
    running = jobs.c.state == JobState.RUNNING.value
    asked = update(jobs).where(which, running).values(asked_to_stop=how, reason=_cut(reason))
    return stopped + connection.execute(asked).rowcount


def _write(connection: Connection, claim: Claim, values: Mapping[str, Any]) -> bool:
    ours = (jobs.c.id == claim.id) & (jobs.c.fence == claim.fence) & (jobs.c.state == JobState.RUNNING.value)
    return connection.execute(update(jobs).where(ours).values(dict(values))).rowcount == 1


def _alone(connection: Connection) -> None:
    """One claim at a time: SQLite's writer is alone anyway, a server is asked."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('perilune jobs'))"))


def _now(connection: Connection, at: datetime) -> int:
    return now_ms(connection, to_ms(at))


def _cut(reason: str | None) -> str | None:
    return None if reason is None else reason[:400]


def _row(row: RowMapping) -> JobRow:
    plain = {name: row[name] for name in ("id", "key", "kind", "repository", "subject", "input", "output", "reason")}
    times = {name: from_ms(row[name]) for name in ("submitted_at", "not_before", "ended_at", "lease_until")}
    return JobRow(**plain, **times, state=JobState(row["state"]), fence=row["fence"], worker=row["worker"])
