"""The ledger's tables: what was asked, who answered, what it cost. No prompt, no answer, no reasoning."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Numeric, Table, cast, func, select

from perilune.core.numbers import plain
from perilune.store.schema import attempts, requests
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import Row, insert_for

Dimension = Literal["account", "model", "route", "key", "owner"]
_MILLISECOND = timedelta(milliseconds=1)

_ROWS_AT_ONCE = (32, 8, 1)

_DIMENSIONS = {
    "account": requests.c.account,
    "model": requests.c.model_served,
    "route": requests.c.route,
    "key": requests.c.key_id,
    "owner": requests.c.owner,
}


class Request(Struct, frozen=True, kw_only=True):
    """One request as the ledger holds it. Units: `…_ms` milliseconds; `cost` exact, None when unknown."""

    id: str
    received_at: datetime
    owner: str
    route: str | None
    slot: str | None
    account: str | None
    surface: str
    model: str | None
    outcome: str
    status: int | None
    code: str | None
    attempts: int
    queued_ms: int | None
    first_content_ms: int | None
    total_ms: int | None
    input_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    is_estimated: bool
    may_bill_more: bool
    cost: Decimal | None
    currency: str | None
    unit_of_cost: str | None


class Attempt(Struct, frozen=True, kw_only=True):
    """One try of one slot, as the ledger holds it."""

    number: int
    started_at: datetime
    account: str
    model: str | None
    surface: str | None
    outcome: str
    status: int | None
    code: str | None
    was_sent: bool
    total_ms: int | None
    first_content_ms: int | None
    vendor_request_id: str | None
    cost: Decimal | None
    words: str | None


class Total(Struct, frozen=True, kw_only=True):
    """Requests of one label and one currency. `cost` is None for plan quota; `unpriced` had no price."""

    label: str | None
    currency: str | None
    unit_of_cost: str | None
    requests: int
    failed: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    unpriced: int
    cost: Decimal | None


def insert_rows(connection: Connection, request_rows: Sequence[Row], attempt_rows: Sequence[Row]) -> None:
    """Write a batch; rows that are already there stay as they are, so a batch may be written again."""
    for table, rows in ((requests, request_rows), (attempts, attempt_rows)):
        if rows:
            keys = [column.name for column in table.primary_key]
            connection.execute(insert_for(connection, table).on_conflict_do_nothing(index_elements=keys), list(rows))


def insert_in_bulk(
    connection: Connection, request_rows: Sequence[tuple[Any, ...]], attempt_rows: Sequence[tuple[Any, ...]]
) -> None:
    """As `insert_rows`, for rows as tuples in the order of the columns.

    In SQLite many rows go in one statement: the library lets go of the interpreter and takes it back once for each.
    """
    for table, rows in ((requests, request_rows), (attempts, attempt_rows)):
        if connection.dialect.name == "sqlite":
            for start, many in _portions(len(rows)):
                values = tuple(chain.from_iterable(rows[start : start + many]))
                connection.exec_driver_sql(_bulk_insert(table, many), values)
        elif rows:
            names = [column.name for column in table.columns]
            dicts = [dict(zip(names, row, strict=True)) for row in rows]
            keys = [column.name for column in table.primary_key]
            connection.execute(insert_for(connection, table).on_conflict_do_nothing(index_elements=keys), dicts)


def _portions(count: int) -> Iterator[tuple[int, int]]:
    """Where statements of few different sizes begin, so that the library knows each of them prepared."""
    start = 0
    for many in _ROWS_AT_ONCE:
        while count - start >= many:
            yield start, many
            start += many


@cache
def _bulk_insert(table: Table, many: int) -> str:
    keys = ", ".join(column.name for column in table.primary_key)
    row = f"({', '.join('?' * len(table.columns))})"
    return f"INSERT INTO {table.name} VALUES {', '.join([row] * many)} ON CONFLICT ({keys}) DO NOTHING"  # noqa: S608


def recent(connection: Connection, limit: int, *, account: str | None = None) -> list[Request]:
    """The newest requests first."""
    asked = select(requests).order_by(requests.c.received_at.desc(), requests.c.id.desc()).limit(limit)
    if account is not None:
        asked = asked.where(requests.c.account == account)
    return [_request(row) for row in connection.execute(asked).mappings()]


def attempts_of(connection: Connection, request_id: str) -> list[Attempt]:
    """The attempts of one request, in order."""
    asked = select(attempts).where(attempts.c.request_id == request_id).order_by(attempts.c.number)
    return [_attempt(row) for row in connection.execute(asked).mappings()]


def totals(connection: Connection, start: datetime, end: datetime, by: Dimension | None = None) -> list[Total]:
    """Sums from `start` until before `end`, per label and currency: currencies are never added together."""
    label = _DIMENSIONS[by] if by is not None else None
    return [total for _, total in _totals(connection, start, end, label)]


def totals_by_number(
    connection: Connection, start: datetime, end: datetime, size: timedelta, offset: timedelta
) -> list[tuple[int, Total]]:
    """Sums from `start` until before `end` by day or hour: their numbers are counted from 1970, `offset` from UTC."""
    number = (requests.c.received_at + offset // _MILLISECOND) // (size // _MILLISECOND)
    return [(int(label), replace(total, label=None)) for label, total in _totals(connection, start, end, number)]


def _totals(
    connection: Connection, start: datetime, end: datetime, label: ColumnElement[Any] | None
) -> Iterator[tuple[Any, Total]]:
    shown = (label if label is not None else func.max(None)).label("label")
    keys = [column for column in (label, requests.c.currency, requests.c.unit_of_cost) if column is not None]
    is_unpriced = (requests.c.cost.is_(None)) & (requests.c.unit_of_cost == "money")
    asked = select(
        shown,
        requests.c.currency,
        requests.c.unit_of_cost,
        func.count().label("requests"),
        func.count().filter(requests.c.outcome != "ok").label("failed"),
        func.coalesce(func.sum(requests.c.input_tokens), 0).label("input_tokens"),
        func.coalesce(func.sum(requests.c.cache_read_tokens), 0).label("cache_read_tokens"),
        func.coalesce(func.sum(requests.c.output_tokens), 0).label("output_tokens"),
        func.count().filter(is_unpriced).label("unpriced"),
        _exact_sum(connection).label("cost"),
    )
    grouped = asked.where(_between(start, end)).group_by(*keys).order_by(*keys)
    for row in connection.execute(grouped).mappings():
        yield row["label"], Total(**{**row, "cost": _decimal(row["cost"])})


def count_requests(connection: Connection, start: datetime, end: datetime) -> int:
    """How many requests came from `start` until before `end`, without tests of accounts."""
    asked = select(func.count()).select_from(requests).where(_between(start, end), _NO_TEST)
    return int(connection.execute(asked).scalar_one())


def first_content_percentile(
    connection: Connection, start: datetime, end: datetime, share: float = 0.95, *, slot: str | None = None
) -> int | None:
    """The time to the first content that `share` of the answers did not exceed, in milliseconds; None without any."""
    known = [_between(start, end), requests.c.first_content_ms.is_not(None), _NO_TEST]
    if slot is not None:
        known.append(requests.c.slot == slot)
    count = int(connection.execute(select(func.count()).select_from(requests).where(*known)).scalar_one())
    if count == 0:
        return None
    position = max(-(-count * round(share * 1000) // 1000), 1) - 1
    ordered = select(requests.c.first_content_ms).where(*known).order_by(requests.c.first_content_ms)
    return int(connection.execute(ordered.offset(position).limit(1)).scalar_one())


def had_requests(connection: Connection, account: str, start: datetime, end: datetime) -> bool:
    """Whether the account served anything from `start` until before `end`."""
    asked = select(requests.c.id).where(requests.c.account == account, _between(start, end)).limit(1)
    return connection.execute(asked).first() is not None


_NO_TEST = requests.c.purpose != "test"


def _between(start: datetime, end: datetime) -> ColumnElement[bool]:
    return (requests.c.received_at >= to_ms(start)) & (requests.c.received_at < to_ms(end))


def _exact_sum(connection: Connection) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return func.sum(cast(requests.c.cost, Numeric))
    return func.exact_sum(requests.c.cost)


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(plain(Decimal(str(value))))


def _request(row: Any) -> Request:
    kept = {name: row[name] for name in Request.__struct_fields__ if name not in ("received_at", "model", "cost")}
    model = row["model_served"] or row["model_asked"]
    return Request(**kept, received_at=from_ms(row["received_at"]), model=model, cost=_decimal(row["cost"]))


def _attempt(row: Any) -> Attempt:
    kept = {name: row[name] for name in Attempt.__struct_fields__ if name not in ("started_at", "cost")}
    return Attempt(**kept, started_at=from_ms(row["started_at"]), cost=_decimal(row["cost"]))
