"""What runs hold of the accounts and what earlier ones took: read as plain SQL, with or without SQLAlchemy."""

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from perilune.store.times import to_ms

if TYPE_CHECKING:
    from perilune.store.engine import Store

_MOST_SHARES = 50
_PERIOD = timedelta(days=14)
_BEFORE_MS = 3_600_000
_SAME_RESET_MS = 60_000
BYTES, SECONDS = "bytes_per_token", "review_seconds"

_RESERVED = 'SELECT account, "window", amount FROM reservations WHERE expires_at > :now AND run <> :run'
_LEARNED = "SELECT scope, name, value FROM learned WHERE name IN ('bytes_per_token', 'review_seconds') AND until > :now"
_REVIEWS = """SELECT received_at FROM requests
WHERE received_at > :since AND purpose = 'review' ORDER BY received_at DESC LIMIT 100"""
_REQUESTS = """SELECT account, model_served, purpose, ended_at FROM requests
WHERE received_at > :since AND account IS NOT NULL AND ended_at IS NOT NULL ORDER BY ended_at"""
_SAMPLES = """SELECT account, "window", at, used_ratio, resets_at FROM window_samples
WHERE at > :since AND used_ratio IS NOT NULL ORDER BY account, "window", at"""

Rows = Callable[[str, Mapping[str, Any]], Iterable[Sequence[Any]]]


class RunFacts(Struct, frozen=True, kw_only=True):
    """What a plan is made with beside the readings.

    Shape: `reserved` by account and window (or `balance`), `shares` by account, window and model, newest last: the part
    of the window that single requests took; `bytes_per_token` and `seconds` by model.
    """

    reserved: Mapping[tuple[str, str], Decimal] = {}
    shares: Mapping[tuple[str, str, str], Sequence[Decimal]] = {}
    bytes_per_token: Mapping[str, Decimal] = {}
    seconds: Mapping[str, float] = {}


def run_facts(store: "Store", run: str, now: datetime) -> RunFacts:
    """The facts for a run: what others hold, and what reviews took so far."""
    from sqlalchemy import text

    with store.read() as connection:
        return _facts(lambda sql, given: connection.execute(text(sql), given), run, now)


def quick_run_facts(path: Path, now: datetime) -> RunFacts:
    """The same of an SQLite store without SQLAlchemy; nothing where it is not there or cannot be read this way."""
    if not path.is_file():
        return RunFacts()
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)) as connection:
            return _facts(connection.execute, "", now)
    except sqlite3.Error:
        return RunFacts()


def _facts(rows: Rows, run: str, now: datetime) -> RunFacts:
    at = {"now": to_ms(now)}
    reserved: dict[tuple[str, str], Decimal] = {}
    for account, window, amount in rows(_RESERVED, {**at, "run": run}):
        reserved[account, window] = reserved.get((account, window), Decimal(0)) + Decimal(amount)
    learned = {(name, scope): value for scope, name, value in rows(_LEARNED, at)}
    return RunFacts(
        reserved=reserved,
        shares=_shares(rows, now),
        bytes_per_token={scope: Decimal(value) for (name, scope), value in learned.items() if name == BYTES},
        seconds={scope: float(value) for (name, scope), value in learned.items() if name == SECONDS},
    )


def _shares(rows: Rows, now: datetime) -> dict[tuple[str, str, str], list[Decimal]]:
    """What single requests took of each window: the rise between two readings of one cycle, shared by what ended then.

    Only spans in which nothing but reviews of one model ended count, so that others' use is not taken for ours.
    """
    newest = list(rows(_REVIEWS, {"since": to_ms(now - _PERIOD)}))
    if not newest:
        return {}
    since = {"since": min(row[0] for row in newest) - _BEFORE_MS}
    ended: dict[str, list[tuple[int, str, str]]] = {}
    for account, model, purpose, at in rows(_REQUESTS, since):
        ended.setdefault(account, []).append((at, model or "", purpose))
    found: dict[tuple[str, str, str], list[Decimal]] = {}
    for before, after in pairwise(rows(_SAMPLES, since)):
        if before[:2] == after[:2] and _is_one_cycle(before[4], after[4]):
            account, window, at, ratio, _reset = after
            between = _between(ended.get(account, []), before[2], at)
            rise = Decimal(ratio) - Decimal(before[3])
            kinds = {(model, purpose) for _at, model, purpose in between}
            if rise > 0 and len(kinds) == 1 and between[0][2] == "review":
                shares = found.setdefault((account, window, between[0][1]), [])
                shares += [rise / len(between)] * len(between)
                del shares[:-_MOST_SHARES]
    return found


def _is_one_cycle(reset: int | None, later: int | None) -> bool:
    return reset == later or (reset is not None and later is not None and abs(reset - later) <= _SAME_RESET_MS)


def _between(ended: list[tuple[int, str, str]], start: int, end: int) -> list[tuple[int, str, str]]:
    return ended[bisect_right(ended, start, key=_moment) : bisect_right(ended, end, key=_moment)]


def _moment(row: tuple[int, str, str]) -> int:
    return row[0]
