"""Reviews that have ended, in short, for lists."""

from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, RowMapping, select

from perilune.core.decoding import decoded
from perilune.store.schema import review_runs
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import upsert


class ReviewRow(Struct, frozen=True, kw_only=True):
    """One review. `findings` counts by severity. Units: `took_s` seconds."""

    id: str
    started_at: datetime
    status: str
    title: str
    findings: dict[str, int]
    requests: int | None = None
    took_s: float | None = None


class _Kept(Struct, frozen=True):
    findings: dict[str, int]
    requests: int | None = None
    took_s: float | None = None


def save_review(connection: Connection, review: ReviewRow) -> None:
    """Keep a review; the same run again replaces it."""
    document = msgspec.json.encode(_Kept(review.findings, review.requests, review.took_s))
    row = {
        "id": review.id,
        "started_at": to_ms(review.started_at),
        "ended_at": None,
        "status": review.status,
        "title": review.title[:400],
        "document": document,
    }
    upsert(connection, review_runs, [row])


def recent_reviews(connection: Connection, limit: int) -> list[ReviewRow]:
    """The newest reviews first."""
    asked = select(review_runs).order_by(review_runs.c.started_at.desc()).limit(limit)
    return [_row(row) for row in connection.execute(asked).mappings()]


def _row(row: RowMapping) -> ReviewRow:
    kept = decoded(row["document"], _Kept)
    return ReviewRow(
        id=row["id"],
        started_at=from_ms(row["started_at"]),
        status=row["status"],
        title=row["title"],
        findings=kept.findings,
        requests=kept.requests,
        took_s=kept.took_s,
    )
