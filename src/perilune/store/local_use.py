"""What other programs on this machine logged of their requests: counts alone, each once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, exists, func, select

from perilune.quota.logged import LoggedUse
from perilune.store.schema import local_logs, local_use, requests
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import upsert

_MILLISECOND = timedelta(milliseconds=1)
_AROUND_MS = 120_000
_use = local_use.c


class LoggedTotal(Struct, frozen=True, kw_only=True):
    """Logged requests of one origin. `label` is a day's or hour's number, or a model."""

    label: Any
    origin: str
    requests: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int


def positions(connection: Connection, origin: str) -> dict[str, int]:
    """How far each log of an origin has been read, in bytes, by the digest of its path."""
    asked = select(local_logs.c.file, local_logs.c.read_to).where(local_logs.c.origin == origin)
    return {row.file: row.read_to for row in connection.execute(asked)}


def keep(
    connection: Connection, origin: str, file: str, read_to: int, found: Sequence[LoggedUse], now: datetime
) -> None:
    """Keep what a log said up to a position; a record that is there already is not counted again."""
    rows = {
        one.id: {
            "id": one.id, "at": to_ms(one.at), "origin": origin, "model": one.model and one.model[:200],
            "input_tokens": one.input_tokens, "cache_read_tokens": one.cache_read_tokens,
            "cache_write_tokens": one.cache_write_tokens, "output_tokens": one.output_tokens,
        }
        for one in found
    }  # fmt: skip
    upsert(connection, local_use, list(rows.values()))
    position = {"file": file, "origin": origin, "read_to": read_to, "looked_at": to_ms(now)}
    upsert(connection, local_logs, [position])


def forget_all(connection: Connection) -> None:
    """Drop everything that was taken from logs."""
    for table in (local_use, local_logs):
        connection.execute(delete(table))


def first_at(connection: Connection) -> datetime | None:
    """The first logged request."""
    found: int | None = connection.execute(select(func.min(_use.at))).scalar()
    return from_ms(found)


def totals(connection: Connection, start: datetime, end: datetime, *, by_model: bool = False) -> list[LoggedTotal]:
    """Sums from `start` until before `end`, by model or in one."""
    return _totals(connection, start, end, _use.model if by_model else None)


def totals_by_number(
    connection: Connection, start: datetime, end: datetime, size: timedelta, offset: timedelta
) -> list[LoggedTotal]:
    """Sums by day or hour, numbered as the ledger's."""
    number = (_use.at + offset // _MILLISECOND) // (size // _MILLISECOND)
    return _totals(connection, start, end, number)


def _totals(
    connection: Connection, start: datetime, end: datetime, label: ColumnElement[Any] | None
) -> list[LoggedTotal]:
    keys = [key for key in (label, _use.origin) if key is not None]
    asked = select(
        (func.max(None) if label is None else label).label("label"),
        _use.origin,
        func.count().label("requests"),
        func.sum(_use.input_tokens).label("input_tokens"),
        func.sum(_use.cache_read_tokens).label("cache_read_tokens"),
        func.sum(_use.output_tokens).label("output_tokens"),
    ).where(_use.at >= to_ms(start), _use.at < to_ms(end), ~_is_in_the_ledger())
    rows = connection.execute(asked.group_by(*keys).order_by(*keys)).mappings()
    return [LoggedTotal(**{name: row[name] for name in LoggedTotal.__struct_fields__}) for row in rows]


def _is_in_the_ledger() -> ColumnElement[bool]:
    """A request that came through our gateway is in the ledger: of that time, with the very same counts."""
    served = requests.c
    return exists().where(
        served.received_at >= _use.at - _AROUND_MS - func.coalesce(served.total_ms, 0),
        served.received_at >= _use.at - 3_600_000,
        served.received_at <= _use.at + _AROUND_MS,
        served.output_tokens == _use.output_tokens,
        served.input_tokens == _use.input_tokens,
    )
