"""What a published head leaves behind: its findings with their threads, and what became of the earlier ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import structs

from perilune.forges.contract.port import Person, Thread
from perilune.patches.finding import Finding, State
from perilune.patches.heads import AcrossHeads, words_of
from perilune.review.publish.live import is_own
from perilune.review.publish.markers import read_finding
from perilune.review.result import ReviewResult
from perilune.store.findings import FindingRow


def rows_after(
    result: ReviewResult,
    outcome: AcrossHeads,
    before: Sequence[FindingRow],
    threads: Sequence[Thread],
    me: Person,
    pull: str,
    at: datetime,
) -> list[FindingRow]:
    """Every row that this head adds or changes."""
    known = {row.id: row for row in before}
    taken = {row.thread for row in before}
    posted = _threads_by_fingerprint([thread for thread in threads if thread.id not in taken], me)
    changed: dict[str, FindingRow] = {}
    for matched in outcome.found:
        earlier = known.get(matched.earlier.key) if matched.earlier is not None else None
        if matched.state is State.CARRIED and earlier is not None:
            changed[earlier.id] = _moved(earlier, State.CARRIED, at)
        elif matched.state is State.SUPPRESSED and earlier is not None:
            changed[earlier.id] = _moved(earlier, State.DISMISSED, at)
    for silent in outcome.silent:
        row = known.get(silent.earlier.key)
        if row is not None and row.state is not silent.state:
            changed[row.id] = _moved(row, silent.state, at)
    for finding in result.findings:
        if finding.state in (State.NEW, State.CARRIED) and finding.is_inline:
            row = _new(finding, result.run_id, pull, posted, at)
            if row.thread is not None:
                changed[row.id] = row
    return list(changed.values())


def under_known_ids(rows: Sequence[FindingRow], present: Sequence[FindingRow], run: str) -> list[FindingRow]:
    """The same rows, those that this run has kept before under the ids they had then: it was taken up again."""
    ids = {row.thread: row.id for row in present if row.run == run and row.thread is not None}
    return [structs.replace(row, id=ids.get(row.thread or "", row.id)) if row.run == run else row for row in rows]


def _moved(row: FindingRow, state: State, at: datetime) -> FindingRow:
    return structs.replace(row, state=state, updated_at=at)


def _new(finding: Finding, run: str, pull: str, posted: Mapping[str, list[Thread]], at: datetime) -> FindingRow:
    threads = posted.get(finding.fingerprint, [])
    thread = threads.pop(0) if threads else None
    first = thread.remarks[0] if thread is not None and thread.remarks else None
    return FindingRow(
        id=finding.id,
        pull=pull,
        run=run,
        fingerprint=finding.fingerprint,
        fingerprint_code=finding.fingerprint_code,
        path=finding.anchor.path,
        side=finding.anchor.side,
        quote=finding.anchor.quote,
        symbol=finding.symbol,
        severity=finding.severity,
        title=finding.title,
        words=words_of(finding),
        state=State.POSTED,
        thread=thread.id if thread is not None else None,
        url=first.url if first is not None else None,
        updated_at=at,
    )


def _threads_by_fingerprint(threads: Sequence[Thread], me: Person) -> dict[str, list[Thread]]:
    found: dict[str, list[Thread]] = {}
    for thread in threads:
        first = thread.remarks[0] if thread.remarks else None
        mark = read_finding(first.body) if first is not None and is_own(first.author, me) else None
        if mark is not None:
            found.setdefault(mark.fingerprint, []).append(thread)
    return found
