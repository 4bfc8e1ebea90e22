"""History samples: a row when something moved, or when enough time has passed without moving."""

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, Row, Table, select

from perilune.core.numbers import plain
from perilune.quota.snapshot import Snapshot, Window
from perilune.store.hours import fold
from perilune.store.schema import balance_samples, window_samples
from perilune.store.times import from_ms, to_ms

_USE_MOVES = Decimal("0.005")
_RESET_MOVES = timedelta(seconds=60)
_WINDOW_REST = timedelta(minutes=30)
_BALANCE_REST = timedelta(minutes=60)


def keep_windows(connection: Connection, snapshot: Snapshot) -> None:
    """A row for each window whose use or reset moved, or that has none for 30 minutes."""
    for window in snapshot.windows:
        last = _last(connection, window_samples, snapshot.account, window.id)
        if last is None or _moved(last, window, snapshot.fetched_at):
            row = _window_row(snapshot, window)
            connection.execute(window_samples.insert().values(row))
            fold(connection, row)


def keep_balance(connection: Connection, snapshot: Snapshot) -> None:
    """A row when the balance moved, or when there is none for 60 minutes."""
    balance = snapshot.balance
    if balance is None:
        return
    row = {
        "account": snapshot.account,
        "at": to_ms(snapshot.fetched_at),
        "currency": balance.currency,
        "available": plain(balance.available),
        "voucher": _text(balance.voucher),
        "cash": _text(balance.cash),
    }
    last = _last(connection, balance_samples, snapshot.account, None)
    figures = ("currency", "available", "voucher", "cash")
    if (
        last is None
        or any(getattr(last, name) != row[name] for name in figures)
        or snapshot.fetched_at - from_ms(last.at) >= _BALANCE_REST
    ):
        connection.execute(balance_samples.insert().values(row))


def _last(connection: Connection, table: Table, account: str, window: str | None) -> Row[tuple[object, ...]] | None:
    asked = select(table).where(table.c.account == account)
    if window is not None:
        asked = asked.where(table.c.window == window)
    return connection.execute(asked.order_by(table.c.at.desc(), table.c.id.desc()).limit(1)).first()


def _moved(last: "Row[tuple[object, ...]]", window: Window, at: datetime) -> bool:
    ratio = None if last.used_ratio is None else Decimal(last.used_ratio)
    if (ratio is None) != (window.used_ratio is None):
        return True
    if ratio is not None and window.used_ratio is not None and abs(window.used_ratio - ratio) >= _USE_MOVES:
        return True
    reset = from_ms(last.resets_at)
    if (reset is None) != (window.resets_at is None):
        return True
    if reset is not None and window.resets_at is not None and abs(window.resets_at - reset) > _RESET_MOVES:
        return True
    return bool(at - from_ms(last.at) >= _WINDOW_REST)


def _window_row(snapshot: Snapshot, window: Window) -> dict[str, object]:
    origin = next((r.origin for r in window.readings if r.used_ratio == window.used_ratio), None)
    return {
        "account": snapshot.account,
        "window": window.id,
        "at": to_ms(snapshot.fetched_at),
        "used_ratio": None if window.used_ratio is None else plain(round(window.used_ratio, 12)),
        "used": _text(window.used),
        "limit": _text(window.limit),
        "resets_at": to_ms(window.resets_at),
        "origin": origin,
        "is_reliable": window.is_reliable,
        "has_conflict": window.has_conflict,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
