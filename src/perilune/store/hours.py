"""Hours of windows: each reading is folded into the row of its hour and cycle, the last reliable one stands in it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Float, Row, cast, select, update

from perilune.quota.curves import Mark
from perilune.store.rows import decimal_of
from perilune.store.schema import window_hours
from perilune.store.times import to_ms

HOUR_MS = 3_600_000
_SAME_CYCLE_MS = 60_000
_FALLEN = Decimal("0.01")
_STANDING = ("at", "used_ratio", "used", "limit", "resets_at", "origin", "is_reliable", "has_conflict")


def fold(connection: Connection, sample: Mapping[str, Any]) -> None:
    """Take in one row of `window_samples`."""
    table = window_hours.c
    of_window = (table.account == sample["account"], table.window == sample["window"])
    newest = select(window_hours).where(*of_window).order_by(table.hour.desc(), table.id.desc()).limit(1)
    last = connection.execute(newest).first()
    hour = sample["at"] // HOUR_MS * HOUR_MS
    if last is None or last.hour != hour or _begins_a_cycle(last, sample):
        connection.execute(window_hours.insert().values(_new(sample, hour)))
        return
    changed = {"readings": last.readings + 1}
    if sample["is_reliable"] or not last.is_reliable:
        changed |= {name: sample[name] for name in _STANDING}
        changed["peak_ratio"] = _higher(last.peak_ratio, sample["used_ratio"] if sample["is_reliable"] else None)
    connection.execute(update(window_hours).where(table.id == last.id).values(changed))


def marks_of(connection: Connection, account: str, window: str, since: datetime) -> list[Mark]:
    """The reliable hours of one window, oldest first."""
    table = window_hours.c
    columns = (table.at / 1000.0, cast(table.used_ratio, Float), table.resets_at / 1000.0, table.limit)
    asked = select(*columns).where(
        table.account == account, table.window == window, table.hour >= to_ms(since), table.is_reliable,
        table.used_ratio.is_not(None), table.resets_at.is_not(None),
    )  # fmt: skip
    rows = connection.execute(asked.order_by(table.hour, table.id))
    return [(float(at), used, float(resets), limit) for at, used, resets, limit in rows]


def _new(sample: Mapping[str, Any], hour: int) -> dict[str, Any]:
    peak = sample["used_ratio"] if sample["is_reliable"] else None
    names = ("account", "window", *_STANDING)
    return {
        "hour": hour,
        "began_at": sample["at"],
        "readings": 1,
        "peak_ratio": peak,
        **{name: sample[name] for name in names},
    }


def _begins_a_cycle(last: Row[Any], sample: Mapping[str, Any]) -> bool:
    """Whether the reading is of another cycle than the hour's last one, so that neither hides the other."""
    reset = sample["resets_at"]
    is_later = reset is not None and (last.resets_at is None or reset - last.resets_at > _SAME_CYCLE_MS)
    has_passed = last.resets_at is not None and last.resets_at <= sample["at"]
    before, now = decimal_of(last.used_ratio), decimal_of(sample["used_ratio"])
    has_fallen = before is not None and now is not None and now < before - _FALLEN
    return (has_passed and (is_later or reset is None)) or has_fallen


def _higher(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=Decimal)
