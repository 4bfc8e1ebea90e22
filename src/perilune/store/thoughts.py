"""Thoughts that clients drop, sealed, for a day: found by their place in a conversation or by its session."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, and_, delete, or_, select

from perilune.store.thought_tables import thoughts
from perilune.store.times import to_ms
from perilune.store.upsert import upsert

_MOST_AT_ONCE = 200


class ThoughtRow(Struct, frozen=True, kw_only=True):
    """One thought. Shape: `history` and `turn` are hex digests, `session` one too or None, `sealed` an envelope."""

    history: str
    turn: str
    session: str | None
    sealed: str


def keep(connection: Connection, rows: Sequence[ThoughtRow], at: datetime) -> None:
    """Write thoughts; one for the same place replaces the earlier one."""
    written = [
        {"history": row.history, "turn": row.turn, "session": row.session, "sealed": row.sealed, "at": to_ms(at)}
        for row in rows
    ]
    upsert(connection, thoughts, written)


def find(
    connection: Connection, places: Sequence[tuple[str, str]], session: str | None, since: datetime
) -> list[ThoughtRow]:
    """The thoughts of these places (history, turn), and those of the session's equal turns."""
    found: list[ThoughtRow] = []
    for start in range(0, len(places), _MOST_AT_ONCE):
        found += _find(connection, places[start : start + _MOST_AT_ONCE], session, since)
    return found


def _find(
    connection: Connection, places: Sequence[tuple[str, str]], session: str | None, since: datetime
) -> list[ThoughtRow]:
    here = [and_(thoughts.c.turn == turn, thoughts.c.history == history) for history, turn in places]
    if session is not None:
        turns = {turn for _, turn in places}
        here.append(and_(thoughts.c.turn.in_(turns), thoughts.c.session == session))
    rows = connection.execute(select(thoughts).where(thoughts.c.at >= to_ms(since), or_(*here))).mappings()
    return [
        ThoughtRow(history=row["history"], turn=row["turn"], session=row["session"], sealed=row["sealed"])
        for row in rows
    ]


def forget_before(connection: Connection, at: datetime) -> int:
    """Delete what is older; how many there were."""
    return connection.execute(delete(thoughts).where(thoughts.c.at < to_ms(at))).rowcount
