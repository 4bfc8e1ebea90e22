"""How reviews ended and what they found, summed over all that are kept."""

from collections import Counter

from msgspec import Struct, field
from sqlalchemy import Connection, select

from perilune.core.decoding import decoded
from perilune.store.schema import review_runs


class ReviewTotals(Struct):
    """Runs by how they ended, findings by severity."""

    runs: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)


class _Kept(Struct, frozen=True):
    findings: dict[str, int] = {}


def review_totals(connection: Connection) -> ReviewTotals:
    """The sums of all reviews that the store holds."""
    totals = ReviewTotals()
    for status, document in connection.execute(select(review_runs.c.status, review_runs.c.document)):
        totals.runs[status] += 1
        totals.findings.update(decoded(document, _Kept).findings)
    return totals
