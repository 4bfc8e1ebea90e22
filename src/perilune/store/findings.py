"""Findings of pull requests across heads, what members dismissed, and where each pull request stands."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, structs
from sqlalchemy import Connection, RowMapping, delete, select

from perilune.patches.finding import Severity, State
from perilune.patches.heads import Suppression
from perilune.patches.model import Side
from perilune.store.engine import Store
from perilune.store.finding_tables import pull_findings, pulls, suppressions
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import upsert


class FindingRow(Struct, frozen=True, kw_only=True):
    """A finding as its last head left it. `thread` is the forge's id of its thread, None where none was opened."""

    id: str
    pull: str
    run: str
    fingerprint: str
    fingerprint_code: str
    path: str
    side: Side
    quote: str
    symbol: str
    severity: Severity
    title: str
    words: str
    state: State
    updated_at: datetime
    thread: str | None = None
    url: str | None = None


class PullRow(Struct, frozen=True, kw_only=True):
    """Where a pull request stands: the head that was reviewed, against which base, and whether runs are paused."""

    pull: str
    updated_at: datetime
    is_paused: bool = False
    reviewed_head: str | None = None
    reviewed_base: str | None = None
    run: str | None = None


class PullRecords:
    """The same with a transaction each. Calls are synchronous; on an event loop they belong into a thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def findings(self, pull: str) -> list[FindingRow]:
        """Every finding a pull request ever had."""
        with self._store.read() as connection:
            return findings_of(connection, pull)

    def of_thread(self, pull: str, thread: str) -> FindingRow | None:
        """The finding a thread was opened for."""
        with self._store.read() as connection:
            return finding_of_thread(connection, pull, thread)

    def save(self, rows: Sequence[FindingRow]) -> None:
        """Keep findings; those that are known are changed."""
        with self._store.begin() as connection:
            save_findings(connection, rows)

    def suppressed(self, repository: str, now: datetime) -> list[Suppression]:
        """What is not wanted in a repository now."""
        with self._store.begin() as connection:
            return suppressed_in(connection, repository, now)

    def suppress(self, repository: str, finding: FindingRow, by: str, until: datetime) -> None:
        """Remember that a member does not want the like of a finding."""
        with self._store.begin() as connection:
            suppress(connection, repository, finding, by, until)

    def pull(self, pull: str) -> PullRow | None:
        """Where a pull request stands."""
        with self._store.read() as connection:
            return pull_row(connection, pull)

    def save_pull(self, row: PullRow) -> None:
        """Keep where a pull request stands."""
        with self._store.begin() as connection:
            save_pull(connection, row)


def save_findings(connection: Connection, rows: Sequence[FindingRow]) -> None:
    """Keep findings; those that are known are changed."""
    upsert(connection, pull_findings, [{**structs.asdict(row), "updated_at": to_ms(row.updated_at)} for row in rows])


def findings_of(connection: Connection, pull: str) -> list[FindingRow]:
    """Every finding a pull request ever had, in the order of their ids."""
    asked = select(pull_findings).where(pull_findings.c.pull == pull).order_by(pull_findings.c.id)
    return [_finding(row) for row in connection.execute(asked).mappings()]


def finding_of_thread(connection: Connection, pull: str, thread: str) -> FindingRow | None:
    """The finding a thread was opened for."""
    mine = (pull_findings.c.pull == pull) & (pull_findings.c.thread == thread)
    found = connection.execute(select(pull_findings).where(mine)).mappings().first()
    return None if found is None else _finding(found)


def suppress(connection: Connection, repository: str, finding: FindingRow, by: str, until: datetime) -> None:
    """Remember for a repository that a member does not want the like of a finding."""
    row = {"repository": repository, "finding": finding.id, "fingerprint_code": finding.fingerprint_code}
    upsert(connection, suppressions, [{**row, "words": finding.words, "by": by, "until": to_ms(until)}])


def suppressed_in(connection: Connection, repository: str, now: datetime) -> list[Suppression]:
    """What is not wanted in a repository now; what is over is forgotten."""
    connection.execute(delete(suppressions).where(suppressions.c.until <= to_ms(now)))
    asked = select(suppressions).where(suppressions.c.repository == repository)
    return [
        Suppression(fingerprint_code=row["fingerprint_code"], words=row["words"], until=from_ms(row["until"]))
        for row in connection.execute(asked).mappings()
    ]


def save_pull(connection: Connection, row: PullRow) -> None:
    """Keep where a pull request stands."""
    upsert(connection, pulls, [{**structs.asdict(row), "updated_at": to_ms(row.updated_at)}])


def pull_row(connection: Connection, pull: str) -> PullRow | None:
    """Where a pull request stands."""
    found = connection.execute(select(pulls).where(pulls.c.pull == pull)).mappings().first()
    return None if found is None else PullRow(**{**found, "updated_at": from_ms(found["updated_at"])})


def _finding(row: RowMapping) -> FindingRow:
    kinds = {"side": Side(row["side"]), "severity": Severity(row["severity"]), "state": State(row["state"])}
    return FindingRow(**{**row, **kinds, "updated_at": from_ms(row["updated_at"])})
