"""Reviews for the API: the newest that have ended, and those that are queued, running or put off, with the reason."""

from datetime import datetime

from perilune.faces.api.ports import OpenReviewDocument, ReviewDocument, ReviewsDocument
from perilune.store.engine import Store
from perilune.store.job_rows import JobRow, JobState
from perilune.store.jobs import Jobs
from perilune.store.reviews import recent_reviews

_KINDS = ("review", "local")
_MOST = 100


def reviews_document(store: Store, limit: int, now: datetime) -> ReviewsDocument:
    """`perilune.reviews.v1`."""
    with store.read() as connection:
        rows = recent_reviews(connection, limit)
    reviews = [
        ReviewDocument(
            id=row.id, started_at=row.started_at, status=row.status, title=row.title, findings=dict(row.findings),
            requests=row.requests, took_s=row.took_s,
        )
        for row in rows
    ]  # fmt: skip
    return ReviewsDocument(generated_at=now, reviews=reviews, open=open_reviews(store))


def open_reviews(store: Store) -> list[OpenReviewDocument]:
    """The newest first."""
    return [_document(row) for row in Jobs(store).recent(_MOST, open_only=True) if row.kind in _KINDS]


def _document(row: JobRow) -> OpenReviewDocument:
    is_waiting = row.state is not JobState.RUNNING
    return OpenReviewDocument(
        id=row.id,
        state="running" if not is_waiting else "queued" if row.state is JobState.QUEUED else "deferred",
        title=_title(row),
        submitted_at=row.submitted_at,
        until=row.not_before if is_waiting and row.not_before > row.submitted_at else None,
        reason=row.reason if row.state is JobState.DEFERRED else None,
    )


def _title(row: JobRow) -> str:
    """`owner/name#number`; a review of the command line has no such name."""
    if row.kind != "review":
        return row.kind
    repository, _, number = row.subject.rpartition("/")
    return f"{'/'.join(repository.split('/')[2:])}#{number}"
