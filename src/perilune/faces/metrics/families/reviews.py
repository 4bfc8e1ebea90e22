"""Reviews: runs and findings."""

from collections.abc import Iterator

from perilune.faces.metrics.family import Facts, Family, Sample


def _runs(facts: Facts) -> Iterator[Sample]:
    for outcome, count in facts.reviews.runs.items():
        yield (outcome,), count


def _findings(facts: Facts) -> Iterator[Sample]:
    for severity, count in facts.reviews.findings.items():
        yield (severity,), count


FAMILIES = (
    Family(
        name="review_runs_total",
        kind="counter",
        help="Reviews by how they ended.",
        labels=("outcome",),
        samples=_runs,
    ),
    Family(
        name="review_findings_total",
        kind="counter",
        help="Findings by severity.",
        labels=("severity",),
        samples=_findings,
    ),
)
