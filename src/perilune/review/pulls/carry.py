"""What was said of earlier heads of a pull request, from the store and from our own threads, against this one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import structs

from perilune.forges.contract.port import Person, Thread
from perilune.patches.finding import Finding, State
from perilune.patches.fingerprint import anchor_text
from perilune.patches.heads import (
    AcrossHeads,
    Earlier,
    Now,
    Read,
    Suppression,
    across_heads,
    is_suppressed,
)
from perilune.patches.model import Diff, Side, Status
from perilune.review.coverage import CoverageItem, CoverageState
from perilune.review.publish.live import earlier_of, has_human_reply, was_dismissed
from perilune.store.findings import FindingRow

_MOST_LINES = 40
_WHOLE = (CoverageState.REVIEWED, CoverageState.REUSED)
Lines = Callable[[str], Sequence[str] | None]


class Carry:
    """One head against those before it.

    `lines` gives a file's lines at this head, None where it has none; `renames` present names by earlier ones.
    """

    def __init__(
        self,
        earlier: Sequence[Earlier],
        renames: Mapping[str, str],
        lines: Lines,
        suppressions: Sequence[Suppression],
        at: datetime,
    ) -> None:
        self._earlier = earlier
        self._renames = renames
        self._lines = lines
        self._suppressions = suppressions
        self._at = at
        self.outcome = AcrossHeads(found=(), silent=())

    def lines(self) -> list[str]:
        """What is still open, by place and title."""
        found = [f"{entry.path} {entry.words}" for entry in self._earlier if entry.is_open]
        return found[:_MOST_LINES]

    def settle(self, findings: Sequence[Finding], coverage: Sequence[CoverageItem], diff: Diff) -> list[Finding]:
        """The findings of this head with the state that each has across heads."""
        now = Now(names=self._names(diff), read=_reader(coverage, diff), stands=self._stands)
        self.outcome = across_heads(findings, self._earlier, now)
        settled = []
        for matched in self.outcome.found:
            state = matched.state
            if state is State.NEW and is_suppressed(matched.finding, self._suppressions, self._at):
                state = State.SUPPRESSED
            supersedes = matched.earlier.key if matched.earlier is not None and state is State.NEW else None
            settled.append(structs.replace(matched.finding, state=state, supersedes=supersedes))
        return settled

    def _names(self, diff: Diff) -> dict[str, list[str]]:
        """Earlier names of present paths: across heads, and across the diff itself."""
        names: dict[str, list[str]] = {}
        for old, new in self._renames.items():
            names.setdefault(new, []).append(old)
        for file in diff.files:
            if file.old_name != file.name:
                names.setdefault(file.name, []).append(file.old_name)
        return names

    def _stands(self, path: str, side: Side, anchor: str) -> bool | None:
        """Whether quoted lines are still in a file. What stood on removed lines cannot be told from the new content."""
        if side is Side.OLD or not anchor:
            return None
        lines = self._lines(path)
        if lines is None:
            return False
        wanted = anchor.split("\n")
        normal = anchor_text("\n".join(lines)).split("\n")
        return any(normal[at : at + len(wanted)] == wanted for at in range(len(normal) - len(wanted) + 1))


def _reader(coverage: Sequence[CoverageItem], diff: Diff) -> Callable[[str], Read]:
    states = {item.path: item.state for item in coverage}
    gone = {file.name for file in diff.files if file.status is Status.DELETED}

    def read(path: str) -> Read:
        if path in gone:
            return Read.GONE
        if path not in states:
            return Read.UNCHANGED
        return Read.WHOLE if states[path] in _WHOLE else Read.NOT_WHOLE

    return read


def known_before(rows: Sequence[FindingRow], threads: Sequence[Thread], me: Person) -> list[Earlier]:
    """What earlier heads said: rows as their threads stand now, and threads that no row knows (a lost database)."""
    by_thread = {thread.id: thread for thread in threads}
    known = {row.thread for row in rows if row.thread is not None}
    found = [_of_row(row, by_thread.get(row.thread or ""), me) for row in rows if _counts(row)]
    return found + [entry for entry in earlier_of(threads, me) if entry.key not in known]


def _counts(row: FindingRow) -> bool:
    """Findings that were only folded were never put before anybody; they may be posted."""
    return row.thread is not None or row.state in (State.DISMISSED, State.FIXED)


def _of_row(row: FindingRow, thread: Thread | None, me: Person) -> Earlier:
    state = row.state
    if thread is not None and was_dismissed(thread, me) and state is not State.FIXED:
        state = State.DISMISSED
    return Earlier(
        key=row.id,
        fingerprint=row.fingerprint,
        fingerprint_code=row.fingerprint_code,
        path=row.path,
        side=row.side,
        quote=row.quote,
        symbol=row.symbol,
        severity=row.severity,
        words=row.words,
        state=state,
        has_human_reply=thread is not None and has_human_reply(thread, me),
        is_resolved=thread is not None and thread.is_resolved,
    )


def renames_between(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Present names by earlier ones, from git's list of renames between two heads."""
    return {old: new for old, new in pairs if old != new}
