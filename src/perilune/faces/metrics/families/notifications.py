"""Notifications: what channels took."""

from collections.abc import Iterator

from perilune.faces.metrics.family import Facts, Family, Sample


def _ended(facts: Facts) -> Iterator[Sample]:
    yield from facts.notifications.items()


FAMILIES = (
    Family(
        name="notifications_total",
        kind="counter",
        help="Notifications by channel and by how they ended.",
        labels=("channel", "outcome"),
        samples=_ended,
    ),
)
