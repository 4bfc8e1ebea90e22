"""Notices: what was told of each account, and what is on its way to channels, written in one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, delete, select, update

from perilune.quota.alerts.model import Alert, Edges
from perilune.store.alert_tables import alert_edges, deliveries, notices
from perilune.store.rows import decoded, encoded
from perilune.store.times import to_ms
from perilune.store.upsert import insert_for, upsert

_ADVISORY_LOCK = 0x7065_7261  # any number, the same in every process


class Notice(Struct, frozen=True, kw_only=True):
    """One alert under the id it keeps on every channel and every try.

    Shape: `once` is what may be told only once, the id where every alert is news; `topic` what is told as one.
    """

    id: str
    alert: Alert
    once: str
    topic: str | None = None


def wait_for_others(connection: Connection) -> None:
    """One process at a time looks at edges: SQLite's immediate transaction sees to it, a server needs to be asked."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")


def all_edges(connection: Connection) -> dict[str, Edges]:
    """What was told, by account."""
    rows = connection.execute(select(alert_edges.c.account, alert_edges.c.document)).all()
    found = ((str(account), decoded(document, Edges)) for account, document in rows)
    return {account: edges for account, edges in found if edges is not None}


def save_edges(connection: Connection, account: str, edges: Edges, at: datetime) -> None:
    """Keep what was told of one account."""
    row = {"account": account, "document": encoded(edges), "updated_at": to_ms(at)}
    upsert(connection, alert_edges, [row])


def move_edges(connection: Connection, account: str, name: str | None) -> None:
    """Give what was told of an account to another name, or drop it."""
    if name is None:
        connection.execute(delete(alert_edges).where(alert_edges.c.account == account))
        return
    connection.execute(delete(alert_edges).where(alert_edges.c.account == name))
    connection.execute(update(alert_edges).where(alert_edges.c.account == account).values(account=name))


def post(connection: Connection, notice: Notice, channels: Sequence[str], rest: timedelta = timedelta(0)) -> bool:
    """Hand a notice to channels; False when it was told before, or its topic within `rest`."""
    at = notice.alert.at
    if notice.topic is not None and _was_told(connection, notice.topic, at - rest):
        return False
    row = {
        "id": notice.id,
        "once": notice.once,
        "topic": notice.topic,
        "at": to_ms(at),
        "document": encoded(notice.alert),
    }
    statement = insert_for(connection, notices).values(row).on_conflict_do_nothing().returning(notices.c.id)
    if connection.execute(statement).first() is None:
        return False
    due = [
        {"notice": notice.id, "channel": name, "state": "due", "due_at": to_ms(at), "tries": 0, "is_held": False}
        for name in channels
    ]
    if due:
        connection.execute(deliveries.insert(), due)
    return True


def forget_before(connection: Connection, at: datetime) -> None:
    """Drop notices from before a moment, with what became of them."""
    old = select(notices.c.id).where(notices.c.at < to_ms(at))
    connection.execute(delete(deliveries).where(deliveries.c.notice.in_(old)))
    connection.execute(delete(notices).where(notices.c.at < to_ms(at)))


def recent(connection: Connection, limit: int) -> list[Notice]:
    """The newest notices first."""
    asked = select(notices).order_by(notices.c.at.desc(), notices.c.id.desc()).limit(limit)
    found = ((row, decoded(row["document"], Alert)) for row in connection.execute(asked).mappings())
    return [
        Notice(id=row["id"], alert=alert, once=row["once"], topic=row["topic"])
        for row, alert in found
        if alert is not None
    ]


def _was_told(connection: Connection, topic: str, since: datetime) -> bool:
    asked = select(notices.c.id).where(notices.c.topic == topic, notices.c.at > to_ms(since)).limit(1)
    return connection.execute(asked).first() is not None
