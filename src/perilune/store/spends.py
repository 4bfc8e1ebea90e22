"""What was used of budgets in their periods, and what requests under way hold until they are settled.

A hold is written before its request is sent, so that it survives a crash and counts in every process.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, text

from perilune.store.spend_tables import spend_holds, spends
from perilune.store.times import to_ms
from perilune.store.upsert import insert_for


class Place(NamedTuple):
    """One budget in one period. Units: `period` milliseconds at which it began, `unit` what is counted."""

    budget: str
    period: int
    unit: str


class Hold(NamedTuple):
    """What a request wants to hold of one place, and the most that may be used there."""

    place: Place
    amount: int
    most: int


class Refused(NamedTuple):
    """The first hold that did not fit, and what was used or held already."""

    hold: Hold
    used: int


def hold(connection: Connection, request: str, holds: Sequence[Hold], at: datetime) -> Refused | None:
    """Hold everything or nothing; the first that does not fit. What the request held before is given up."""
    for name in sorted({one.place.budget for one in holds}):
        _alone(connection, name)
    release(connection, request)
    for one in holds:
        used = used_of(connection, one.place)
        if used + one.amount > one.most:
            return Refused(one, used)
    rows = [
        {"request": request, **one.place._asdict(), "amount": one.amount, "at": to_ms(at)}
        for one in {one.place: one for one in holds}.values()
    ]
    if rows:
        connection.execute(insert(spend_holds), rows)
    return None


def release(connection: Connection, request: str) -> None:
    """Give up what a request holds: nothing was used."""
    connection.execute(delete(spend_holds).where(spend_holds.c.request == request))


def settle(connection: Connection, request: str, used: Mapping[Place, int]) -> dict[Place, int]:
    """Count what a request really used and give up what it held; what each place had counted before."""
    release(connection, request)
    before = {}
    for place, amount in used.items():
        _alone(connection, place.budget)
        before[place] = _counted(connection, place)
        statement = insert_for(connection, spends).values(**place._asdict(), used=amount)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["budget", "period", "unit"], set_={"used": spends.c.used + amount}
            )
        )
    return before


def used_of(connection: Connection, place: Place) -> int:
    """What is used and held of one place."""
    asked = select(func.coalesce(func.sum(spend_holds.c.amount), 0)).where(
        spend_holds.c.budget == place.budget,
        spend_holds.c.period == place.period,
        spend_holds.c.unit == place.unit,
    )
    return _counted(connection, place) + int(connection.execute(asked).scalar_one())


def all_used(connection: Connection) -> dict[Place, int]:
    """Everything that is counted, without holds."""
    return {Place(row.budget, row.period, row.unit): int(row.used) for row in connection.execute(select(spends))}


def forget_before(connection: Connection, at: datetime) -> None:
    """Drop periods that began before a moment, but those without an end."""
    is_old = (spends.c.period < to_ms(at)) & (spends.c.period > 0)
    connection.execute(delete(spends).where(is_old))
    connection.execute(delete(spend_holds).where(spend_holds.c.at < to_ms(at)))


def _counted(connection: Connection, place: Place) -> int:
    asked = select(spends.c.used).where(
        spends.c.budget == place.budget, spends.c.period == place.period, spends.c.unit == place.unit
    )
    return int(connection.execute(asked).scalar() or 0)


def _alone(connection: Connection, budget: str) -> None:
    """Let nobody else count this budget before the transaction ends (SQLite's writer is alone anyway)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"spends {budget}"})
