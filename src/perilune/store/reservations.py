"""What runs under way have reserved of windows and balances, so that two of them never plan the same rest."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, delete, select, text

from perilune.core.numbers import plain
from perilune.store.engine import Store
from perilune.store.job_tables import reservations
from perilune.store.leases import now_ms
from perilune.store.times import to_ms
from perilune.store.upsert import upsert

Place = tuple[str, str]
"""An account, and one of its windows or its balance."""

Amounts = Mapping[Place, Decimal]


class Reservations:
    """The table of reservations. Calls are synchronous; on an event loop they belong into a thread.

    Units: an amount is in requests, as a ratio or in money, as its window counts. A reservation ends by itself after
    its span, so that a run whose process died gives back what it held.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def held(self, at: datetime, without: str = "") -> dict[Place, Decimal]:
        """What all runs but one hold together."""
        with self._store.read() as connection:
            return _held(connection, now_ms(connection, to_ms(at)), without)

    def reserve(self, run: str, wanted: Amounts, seen: Amounts, span: timedelta, at: datetime) -> bool:
        """Hold amounts for a run, in place of what it held.

        False, and nothing is changed, where others hold something else of these places than the plan had `seen`.
        """
        with self._store.begin() as connection:
            _alone(connection)
            now = now_ms(connection, to_ms(at))
            connection.execute(delete(reservations).where(reservations.c.expires_at <= now))
            held = _held(connection, now, run)
            if any(held.get(place, 0) != seen.get(place, 0) for place in wanted):
                return False
            connection.execute(delete(reservations).where(reservations.c.run == run))
            _write(connection, run, wanted, now + span // timedelta(milliseconds=1))
        return True

    def settle(self, run: str, left: Amounts, span: timedelta, at: datetime) -> None:
        """Hold only what is still to come of a run; nothing where `left` is empty."""
        with self._store.begin() as connection:
            until = now_ms(connection, to_ms(at)) + span // timedelta(milliseconds=1)
            connection.execute(delete(reservations).where(reservations.c.run == run))
            _write(connection, run, left, until)


def _held(connection: Connection, now: int, without: str) -> dict[Place, Decimal]:
    asked = select(reservations).where(reservations.c.expires_at > now, reservations.c.run != without)
    held: dict[Place, Decimal] = {}
    for row in connection.execute(asked).mappings():
        place: Place = (row["account"], row["window"])
        held[place] = held.get(place, Decimal(0)) + Decimal(row["amount"])
    return held


def _write(connection: Connection, run: str, amounts: Amounts, until: int) -> None:
    rows = [
        {"run": run, "account": account, "window": window, "amount": plain(amount), "expires_at": until}
        for (account, window), amount in amounts.items()
        if amount > 0
    ]
    upsert(connection, reservations, rows)


def _alone(connection: Connection) -> None:
    """One reservation at a time: SQLite's writer is alone anyway, a server is asked."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('perilune reservations'))"))
