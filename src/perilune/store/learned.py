"""What was learned about accounts from answers and refusals, each value with its end."""

from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from perilune.store.lessons import Learned
from perilune.store.schema import learned
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import upsert


def keep(connection: Connection, lesson: Learned) -> None:
    """Keep a value in place of an earlier one of that name."""
    row = {"scope": lesson.scope, "name": lesson.name, "value": lesson.value}
    upsert(connection, learned, [{**row, "at": to_ms(lesson.at), "until": to_ms(lesson.until)}])


def known(connection: Connection, now: datetime) -> list[Learned]:
    """Everything that still holds."""
    holds = or_(learned.c.until.is_(None), learned.c.until > to_ms(now))
    rows = connection.execute(select(learned).where(holds).order_by(learned.c.scope, learned.c.name)).mappings()
    return [
        Learned(
            scope=row["scope"], name=row["name"], value=row["value"], at=from_ms(row["at"]), until=from_ms(row["until"])
        )
        for row in rows
    ]


def forget(connection: Connection, scope: str, name: str | None = None) -> None:
    """Drop one value of a scope, or all of them."""
    statement = delete(learned).where(learned.c.scope == scope)
    connection.execute(statement if name is None else statement.where(learned.c.name == name))


def forget_expired(connection: Connection, now: datetime) -> None:
    """Drop what no longer holds."""
    connection.execute(delete(learned).where(learned.c.until <= to_ms(now)))
