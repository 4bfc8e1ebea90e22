"""What happened lately, for the dashboard: one line each, kept as facts so that every reader gets their own words."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select

from perilune.store.schema import events
from perilune.store.times import from_ms, to_ms


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened. `document` holds its facts as JSON text; `number` rises, 0 before it is kept."""

    at: datetime
    kind: str
    account: str | None = None
    document: str = "{}"
    number: int = 0


def append(connection: Connection, event: Event) -> None:
    """Keep one event."""
    row = {"at": to_ms(event.at), "kind": event.kind, "account": event.account, "document": event.document}
    connection.execute(insert(events).values(row))


def recent(connection: Connection, limit: int, *, after: int = 0) -> list[Event]:
    """The newest events first, those with a higher number than `after`."""
    asked = select(events).where(events.c.id > after).order_by(events.c.id.desc()).limit(limit)
    return [
        Event(at=from_ms(row.at), kind=row.kind, account=row.account, document=row.document, number=row.id)
        for row in connection.execute(asked)
    ]


def forget_before(connection: Connection, at: datetime) -> None:
    """Drop events from before a moment."""
    connection.execute(delete(events).where(events.c.at < to_ms(at)))


def count(connection: Connection, kind: str, start: datetime) -> int:
    """How many events of a kind there were since a moment."""
    asked = select(func.count()).select_from(events).where(events.c.kind == kind, events.c.at >= to_ms(start))
    return int(connection.execute(asked).scalar_one())
