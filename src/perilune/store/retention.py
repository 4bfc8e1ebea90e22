"""What history keeps, and for how long: readings thin out with age, everything else is dropped by its own limit.

Every step is a short transaction of its own, so that nobody waits for it, and may be cut off anywhere: what is dropped
is only what a later row of the same hour or day says as well, or what is past its limit. The newest row of a window or
a balance always stays.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count, groupby, takewhile
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Table, delete, func, select, update

from perilune.store import events, learned, states
from perilune.store.engine import Store
from perilune.store.hours import HOUR_MS
from perilune.store.schema import attempts, balance_samples, local_use, requests, window_hours, window_samples
from perilune.store.times import to_ms

DAY_MS = 24 * HOUR_MS
EVERY = timedelta(hours=24)
_SCOPE = "history/retention"


class Keep(Struct, frozen=True, kw_only=True):
    """How long. Units: days; None is for good."""

    raw_days: int = 56
    hourly_days: int = 400
    daily_days: int | None = None
    events_days: int = 400
    requests_days: int | None = None


class Pieces(Struct, frozen=True):
    """How much at once: rows in one transaction, and transactions of one kind; None is as many as it takes.

    Shape: `goes_on` is asked before each; once it says no, the rest is left for the next time.
    """

    rows: int = 2_000
    most: int | None = None
    goes_on: Callable[[], bool] = lambda: True


def take_turn(store: Store, owner: str, now: datetime) -> bool:
    """Whether it is this process's turn to tidy up: once a day, over all processes of the store."""
    with store.begin() as connection:
        return states.take_permit(connection, _SCOPE, owner, now, now + EVERY)


def tidy(store: Store, now: datetime, keep: Keep, pieces: Pieces | None = None) -> int:
    """Drop what is no longer kept and return how many rows that were."""
    pieces = pieces or Pieces()
    raw, hourly = _before(now, keep.raw_days), _before(now, keep.hourly_days)
    dropped = sum(_thin_windows(store, raw, pieces))
    dropped += sum(merged for _, merged in zip(_turns(pieces), _merge_days(store, hourly), strict=False))
    dropped += _in_pieces(store, balance_samples, pieces, _superseded_balances(raw, HOUR_MS))
    dropped += _in_pieces(store, balance_samples, pieces, _superseded_balances(hourly, DAY_MS))
    if keep.daily_days is not None:
        dropped += sum(_expire_windows(store, _before(now, keep.daily_days), pieces))
    if keep.requests_days is not None:
        dropped += _expire_requests(store, _before(now, keep.requests_days), pieces)
    with store.begin() as connection:
        events.forget_before(connection, now - timedelta(days=keep.events_days))
        learned.forget_expired(connection, now)
        connection.execute(delete(local_use).where(local_use.c.at < hourly))
    return dropped


def _before(now: datetime, days: int) -> int:
    return to_ms(now - timedelta(days=days))


def _thin_windows(store: Store, before: int, pieces: Pieces) -> Iterator[int]:
    """Readings whose hour stands for them by now."""
    table = window_samples.c
    for account, window, newest in _newest(store, window_samples, table.at):
        of_window = (table.account == account, table.window == window, table.at < min(before, newest))
        yield _in_pieces(store, window_samples, pieces, select(table.id).where(*of_window).order_by(table.at))


def _expire_windows(store: Store, before: int, pieces: Pieces) -> Iterator[int]:
    table = window_hours.c
    for account, window, newest in _newest(store, window_hours, table.hour):
        of_window = (table.account == account, table.window == window, table.hour < min(before, newest))
        yield _in_pieces(store, window_hours, pieces, select(table.id).where(*of_window).order_by(table.hour))


def _expire_requests(store: Store, before: int, pieces: Pieces) -> int:
    dropped = 0
    asked = select(requests.c.id).where(requests.c.received_at < before).order_by(requests.c.received_at)
    for _ in _turns(pieces):
        with store.begin() as connection:
            ids = list(connection.execute(asked.limit(pieces.rows)).scalars())
            connection.execute(delete(attempts).where(attempts.c.request_id.in_(ids)))
            connection.execute(delete(requests).where(requests.c.id.in_(ids)))
        dropped += len(ids)
        if len(ids) < pieces.rows:
            break
    return dropped


def _newest(store: Store, table: Table, at: ColumnElement[int]) -> Sequence[tuple[str, str, int]]:
    asked = select(table.c.account, table.c.window, func.max(at)).group_by(table.c.account, table.c.window)
    with store.read() as connection:
        return [(account, window, newest) for account, window, newest in connection.execute(asked)]


def _in_pieces(store: Store, table: Table, pieces: Pieces, asked: Any) -> int:
    """Delete the rows whose ids `asked` gives."""
    dropped = 0
    for _ in _turns(pieces):
        with store.begin() as connection:
            ids = list(connection.execute(asked.limit(pieces.rows)).scalars())
            connection.execute(delete(table).where(table.c.id.in_(ids)))
        dropped += len(ids)
        if len(ids) < pieces.rows:
            break
    return dropped


def _turns(pieces: Pieces) -> Iterator[int]:
    return takewhile(lambda _: pieces.goes_on(), count() if pieces.most is None else range(pieces.most))


def _superseded_balances(before: int, size_ms: int) -> Any:
    """Balances followed by another one in the same hour or day."""
    table = balance_samples.c
    following = func.lead(table.at, type_=BigInteger).over(partition_by=table.account, order_by=(table.at, table.id))
    old = select(table.id, table.at, following.label("following")).where(table.at < before).subquery()
    return select(old.c.id).where(old.c.following // size_ms == old.c.at // size_ms)


def _merge_days(store: Store, before: int) -> Iterator[int]:
    """Hours of the same day become one row: the last one, with the highest use of all."""
    table = window_hours.c
    day = table.hour // DAY_MS
    crowded = (
        select(table.account, table.window, day)
        .where(table.hour < before // DAY_MS * DAY_MS)
        .group_by(table.account, table.window, day)
        .having(func.count() > 1)
        .order_by(table.account, table.window, day)
    )
    with store.read() as connection:
        found = [tuple(row) for row in connection.execute(crowded)]
    for (account, window), days in groupby(found, key=lambda row: row[:2]):
        with store.begin() as connection:
            yield sum(_merge_day(connection, account, window, one[2] * DAY_MS) for one in days)


def _merge_day(connection: Connection, account: str, window: str, start: int) -> int:
    table = window_hours.c
    of_day = (table.account == account, table.window == window, table.hour >= start, table.hour < start + DAY_MS)
    rows = connection.execute(select(window_hours).where(*of_day).order_by(table.hour, table.id)).all()
    if len(rows) < 2:
        return 0
    reliable = [row for row in rows if row.is_reliable]
    last = (reliable or rows)[-1]
    merged = {
        "began_at": rows[0].began_at,
        "readings": sum(row.readings for row in rows),
        "peak_ratio": _highest(reliable),
    }
    connection.execute(update(window_hours).where(table.id == last.id).values(merged))
    connection.execute(delete(window_hours).where(table.id.in_([row.id for row in rows if row.id != last.id])))
    return len(rows) - 1


def _highest(rows: Sequence[Row[Any]]) -> str | None:
    return max((row.peak_ratio for row in rows if row.peak_ratio is not None), key=Decimal, default=None)
