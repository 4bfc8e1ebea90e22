"""Readings behind G1, so that its forecast is as sure as the reference shows it."""

from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.g1 import NOW, WORK

from perilune.quota.samples import History, Sample

FIVE_HOURS, SEVEN_DAYS = WORK.windows


def samples(count: int, over: timedelta, resets_at: datetime | None, end: datetime = NOW) -> list[Sample]:
    step = over / max(count - 1, 1)
    return [
        Sample(at=end - over + step * number, used_ratio=Decimal("0.5"), resets_at=resets_at) for number in range(count)
    ]


HISTORIES = {
    "work": History(
        windows={
            "5h": samples(12, timedelta(hours=1), FIVE_HOURS.resets_at),
            "7d": samples(6, timedelta(hours=12), SEVEN_DAYS.resets_at),
        }
    ),
    "ci": History(balances=[NOW - timedelta(hours=hours) for hours in (9, 6, 3, 0)]),
    "lab": History(balances=[NOW]),
}
