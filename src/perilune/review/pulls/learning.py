"""What people do with our threads: resolved, reopened, thumbs down. The like is not said again."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from perilune.core.decoding import decoded
from perilune.forges.contract.port import Person, PullAddress, Thread
from perilune.patches.finding import State
from perilune.review.jobs.underway import Underway
from perilune.review.jobs.worker import Ended, Later
from perilune.review.publish.live import was_dismissed
from perilune.review.pulls.ports import Access, Records
from perilune.review.trigger import PullJob
from perilune.store.findings import FindingRow

MEMORY = timedelta(days=90)


class PullLessons:
    """The handler of jobs that look at what became of our threads."""

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access = access
        self._clock = clock

    async def __call__(self, underway: Underway) -> Ended | Later:
        where = decoded(underway.claim.input, PullJob).where
        async with self._access.open(where) as opened:
            if not opened.may_publish:
                return Ended(reason="no_credential")
            threads = await opened.forge.threads(PullAddress(where.repository, where.number))
            me = await opened.forge.identity()
        records = self._access.records
        rows = await asyncio.to_thread(records.findings, where.subject)
        changed = changed_rows(rows, threads, me, self._clock())
        await underway.hold()
        await asyncio.to_thread(records.save, changed)
        return Ended()


def changed_rows(rows: Sequence[FindingRow], threads: Sequence[Thread], me: Person, at: datetime) -> list[FindingRow]:
    """Rows whose thread says something else than they do: dismissed by a person, or taken up again."""
    by_id = {thread.id: thread for thread in threads}
    changed = []
    for row in rows:
        thread = by_id.get(row.thread or "")
        if thread is None:
            continue
        is_dismissed = was_dismissed(thread, me)
        if is_dismissed and row.state in (State.NEW, State.POSTED, State.CARRIED):
            changed.append(structs.replace(row, state=State.DISMISSED, updated_at=at))
        elif row.state is State.DISMISSED and not is_dismissed and not thread.is_resolved:
            changed.append(structs.replace(row, state=State.POSTED, updated_at=at))
    return changed


def remember_dismissal(records: Records, repository: str, row: FindingRow, by: str, at: datetime) -> None:
    """A member does not want this: not in this pull request, and its like not in this repository for a while."""
    records.save([structs.replace(row, state=State.DISMISSED, updated_at=at)])
    records.suppress(repository, row, by, at + MEMORY)
