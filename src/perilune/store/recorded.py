"""What the store recorded over a time, as charts and tables of history ask for it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Float, Select, cast, func, select, union

from perilune.core.decoding import decoded
from perilune.quota.balance import BalanceSample
from perilune.quota.samples import Sample
from perilune.store.hours import HOUR_MS
from perilune.store.rows import decimal_of, sample_of
from perilune.store.schema import balance_samples, events, latest, requests, window_hours
from perilune.store.times import from_ms, to_ms

_MILLISECOND = timedelta(milliseconds=1)
_hours = window_hours.c


class Peak(Struct, frozen=True):
    """The most that was read of a window. `number` is of the day or hour, None for the whole time."""

    number: int | None
    account: str
    window: str
    used_ratio: float


class TopUp(Struct, frozen=True):
    """A balance that rose."""

    at: datetime
    account: str
    amount: str
    currency: str


class _TopUpFacts(Struct, frozen=True):
    amount: str
    currency: str


def recorded_since(connection: Connection) -> datetime | None:
    """The first moment that anything was recorded; None when nothing was."""
    firsts = (func.min(requests.c.received_at), func.min(_hours.hour), func.min(balance_samples.c.at))
    found = [connection.execute(select(first)).scalar() for first in firsts]
    known = [one for one in found if one is not None]
    return from_ms(min(known)) if known else None


def peaks(
    connection: Connection, start: datetime, end: datetime, size: timedelta | None, offset: timedelta
) -> list[Peak]:
    """The most that was read of each window, by day or hour where a size is given."""
    most = func.max(cast(_hours.peak_ratio, Float))
    in_time = (*_between(_hours.hour, start, end), _hours.peak_ratio.is_not(None))
    of_window = (_hours.account, _hours.window)
    asked: Select[Any] = select(*of_window, most).where(*in_time).group_by(*of_window)
    if size is not None:  # the number comes first, as the rows do: they are sorted cheapest that way
        number = _number(_hours.at, size, offset).label("number")
        asked = select(number, *of_window, most).where(*in_time).group_by("number", *of_window)
    return [
        Peak(before[0] if before else None, account, window, used)
        for *before, account, window, used in map(tuple, connection.execute(asked))
    ]


def numbers_read(
    connection: Connection, start: datetime, end: datetime, size: timedelta, offset: timedelta
) -> set[int]:
    """The days or hours in which anything was read."""
    asked = union(
        *(
            select(_number(column, size, offset)).where(*_between(column, start, end))
            for column in (_hours.hour, balance_samples.c.at)
        )
    )
    return set(connection.execute(asked).scalars())


def window_pasts(connection: Connection, start: datetime, end: datetime) -> dict[tuple[str, str], list[Sample]]:
    """The reliable hours of every window, by account and window, oldest first."""
    columns = (_hours.at, _hours.used_ratio, _hours.resets_at, _hours.limit, _hours.began_at, _hours.readings)
    asked = select(_hours.account, _hours.window, *columns).where(
        *_between(_hours.hour, start, end), _hours.is_reliable
    )
    found: dict[tuple[str, str], list[Sample]] = {}
    for account, window, *row in connection.execute(asked.order_by(_hours.hour, _hours.id)):
        found.setdefault((account, window), []).append(sample_of(row))
    return found


def balance_pasts(connection: Connection, start: datetime, end: datetime) -> dict[tuple[str, str], list[BalanceSample]]:
    """The readings of every balance, by account and currency, oldest first."""
    money = balance_samples.c
    asked = select(money.account, money.currency, money.at, money.available, money.voucher)
    found: dict[tuple[str, str], list[BalanceSample]] = {}
    for account, currency, at, available, voucher in connection.execute(
        asked.where(*_between(money.at, start, end)).order_by(money.at)
    ):
        sample = BalanceSample(from_ms(at), Decimal(available), decimal_of(voucher))
        found.setdefault((account, currency), []).append(sample)
    return found


def top_ups(connection: Connection, start: datetime, end: datetime) -> list[TopUp]:
    """Balances that rose, oldest first."""
    asked = select(events.c.at, events.c.account, events.c.document).where(
        events.c.kind == "top_up", *_between(events.c.at, start, end)
    )
    found = []
    for at, account, document in connection.execute(asked.order_by(events.c.at)):
        facts = decoded(document, _TopUpFacts)
        found.append(TopUp(from_ms(at), account, facts.amount, facts.currency))
    return found


def has_readings(connection: Connection) -> bool:
    """Whether any account was read yet."""
    return connection.execute(select(latest.c.account).limit(1)).first() is not None


def _between(column: ColumnElement[int], start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Rows from `start` until before `end`; an hour that has begun before `start` holds readings after it."""
    first = to_ms(start)
    return column >= (first // HOUR_MS * HOUR_MS if column is _hours.hour else first), column < to_ms(end)


def _number(column: ColumnElement[int], size: timedelta, offset: timedelta) -> ColumnElement[Any]:
    return (column + offset // _MILLISECOND) // (size // _MILLISECOND)
