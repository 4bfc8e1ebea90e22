"""The cached status without SQLAlchemy: SQLite read directly, so that a status line has its answer at once."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from perilune.quota.balance import BalanceSample
from perilune.quota.curves import KEPT, Mark
from perilune.quota.held import Held
from perilune.quota.snapshot import ReadFailure, Refusal, Snapshot
from perilune.store.lessons import Learned
from perilune.store.rows import decoded
from perilune.store.times import from_ms, to_ms

_BURN_PERIOD = timedelta(days=7)
_BUSY_S = 0.1


def quick_held(path: Path, now: datetime) -> dict[str, Held] | None:
    """What the store at `path` holds, by account; None when it is not there or cannot be read this way."""
    if not path.is_file():
        return None
    try:
        with closing(_opened(path)) as connection:
            return _held(connection, path, now)
    except sqlite3.Error:
        return None


def quick_tried(path: Path) -> dict[str, datetime]:
    """When each account was last tried; empty when that cannot be read this way."""
    try:
        with closing(_opened(path)) as connection:
            return {account: from_ms(at) for account, at in connection.execute("SELECT account, tried_at FROM reads")}
    except sqlite3.Error:
        return {}


def quick_learned(path: Path, now: datetime) -> list[Learned] | None:
    """What was learned and still holds; None when it is not there or cannot be read this way."""
    asked = "SELECT scope, name, value, at, until FROM learned WHERE until IS NULL OR until > ? ORDER BY scope, name"
    try:
        with closing(_opened(path)) as connection:
            return [
                Learned(scope=scope, name=name, value=value, at=from_ms(at), until=from_ms(until))
                for scope, name, value, at, until in connection.execute(asked, (to_ms(now),))
            ]
    except sqlite3.Error:
        return None


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)


def _held(connection: sqlite3.Connection, path: Path, now: datetime) -> dict[str, Held]:
    snapshots = {account: decoded(text, Snapshot) for account, text in _pairs(connection, "latest", "document")}
    failures = {account: decoded(text, ReadFailure) for account, text in _pairs(connection, "reads", "failure")}
    refusals: dict[str, list[Refusal]] = {}
    for account, text in _pairs(connection, "refusals", "document"):
        refusal = decoded(text, Refusal)
        if refusal is not None:
            refusals.setdefault(account, []).append(refusal)
    balances = _balances(connection, now)
    return {
        account: Held(
            snapshot=snapshots.get(account),
            failure=failures.get(account),
            refusals=tuple(refusals.get(account, ())),
            balances=tuple(balances.get(account, ())),
            had_requests=_ledger_look_up(path, account),
            past=_past_look_up(path, account, now - KEPT),
        )
        for account in {*snapshots, *failures, *refusals}
    }


def _pairs(connection: sqlite3.Connection, table: str, column: str) -> Iterator[tuple[str, str | None]]:
    yield from connection.execute(f"SELECT account, {column} FROM {table}")  # noqa: S608 - names from this file


def _balances(connection: sqlite3.Connection, now: datetime) -> dict[str, list[BalanceSample]]:
    asked = "SELECT account, at, available, voucher FROM balance_samples WHERE at >= ? ORDER BY at"
    found: dict[str, list[BalanceSample]] = {}
    for account, at, available, voucher in connection.execute(asked, (to_ms(now - _BURN_PERIOD),)):
        sample = BalanceSample(from_ms(at), Decimal(available), None if voucher is None else Decimal(voucher))
        found.setdefault(account, []).append(sample)
    return found


def _ledger_look_up(path: Path, account: str) -> Callable[[datetime, datetime], bool]:
    def had_requests(start: datetime, end: datetime) -> bool:
        asked = "SELECT 1 FROM requests WHERE account = ? AND received_at BETWEEN ? AND ? LIMIT 1"
        with closing(_opened(path)) as connection:
            return connection.execute(asked, (account, to_ms(start), to_ms(end))).fetchone() is not None

    return had_requests


def _past_look_up(path: Path, account: str, since: datetime) -> Callable[[str], list[Mark]]:
    asked = """SELECT at / 1000.0, CAST(used_ratio AS REAL), resets_at / 1000.0, "limit" FROM window_hours
               WHERE account = ? AND "window" = ? AND hour >= ? AND is_reliable
                 AND used_ratio IS NOT NULL AND resets_at IS NOT NULL ORDER BY hour, id"""

    def past(window: str) -> list[Mark]:
        try:
            with closing(_opened(path)) as connection:
                return connection.execute(asked, (account, window, to_ms(since))).fetchall()
        except sqlite3.Error:  # a store of an earlier version, until something opens it for writing
            return []

    return past
