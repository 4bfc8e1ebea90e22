"""Deliveries: notices on their way to channels. Each is claimed before it is sent, so that two processes send it once.

A claim that nobody ended (its process was killed) runs out, and the notice goes again under the same id.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from perilune.quota.alerts.model import Alert
from perilune.store.alert_tables import channel_states, deliveries, mutes, notices
from perilune.store.rows import decoded
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import upsert

_ALL = "all"
_WORDS = 400
TRIES = 3


class Delivery(Struct, frozen=True, kw_only=True):
    """One notice for one channel."""

    notice: str
    alert: Alert
    tries: int
    is_held: bool


class ChannelState(Struct, frozen=True, kw_only=True):
    """How a channel has been doing. `failures` in a row; `words` are the last failure's."""

    channel: str
    worked_at: datetime | None = None
    failed_at: datetime | None = None
    failures: int = 0
    words: str | None = None


def due(connection: Connection, channel: str, now: datetime) -> list[Delivery]:
    """What a channel has to send now, oldest first; not what another process is sending."""
    asked = (
        select(deliveries.c.notice, deliveries.c.tries, deliveries.c.is_held, notices.c.document)
        .join(notices, notices.c.id == deliveries.c.notice)
        .where(deliveries.c.channel == channel, *_free(now), deliveries.c.due_at <= to_ms(now))
        .order_by(notices.c.at, notices.c.id)
    )
    rows = connection.execute(asked).all()
    found = [(row, decoded(row.document, Alert)) for row in rows]
    return [
        Delivery(notice=row.notice, alert=alert, tries=row.tries, is_held=row.is_held)
        for row, alert in found
        if alert is not None
    ]


def claim(
    connection: Connection, channel: str, ids: Sequence[str], owner: str, now: datetime, lasts: timedelta
) -> set[str]:
    """Take the right to send notices; those that another process took first are not among the result."""
    wanted = (deliveries.c.channel == channel, deliveries.c.notice.in_(ids), *_free(now))
    taken = update(deliveries).where(*wanted).values(owner=owner, claimed_until=to_ms(now + lasts))
    return {str(row[0]) for row in connection.execute(taken.returning(deliveries.c.notice))}


def sent(connection: Connection, channel: str, ids: Sequence[str], at: datetime) -> None:
    """The channel took these."""
    _end(connection, channel, ids, "sent", at)
    state = {"channel": channel, "worked_at": to_ms(at), "failures": 0, "words": None}
    upsert(connection, channel_states, [state])


def failed(
    connection: Connection, channel: str, ids: Sequence[str], at: datetime, words: str, again_at: datetime | None
) -> None:
    """The channel did not take these: they go again at `again_at`, or stay failed until the channel works again."""
    counted = {"tries": deliveries.c.tries + 1, "owner": None, "claimed_until": None, "words": words[:_WORDS]}
    ended = {"state": "failed", "ended_at": to_ms(at)} if again_at is None else {"due_at": to_ms(again_at)}
    connection.execute(update(deliveries).where(*_these(channel, ids)).values(counted | ended))
    before = states(connection).get(channel)
    row = {"channel": channel, "failed_at": to_ms(at), "failures": (before.failures if before else 0) + 1}
    upsert(connection, channel_states, [{**row, "words": words[:_WORDS]}])


def revive(connection: Connection, channel: str, since: datetime, now: datetime) -> int:
    """A channel that works again gets what it missed, once more each; returns how many."""
    missed = (deliveries.c.channel == channel, deliveries.c.state == "failed", deliveries.c.tries == TRIES)
    again = update(deliveries).where(*missed, deliveries.c.ended_at >= to_ms(since))
    return connection.execute(again.values(state="due", due_at=to_ms(now), is_held=True, ended_at=None)).rowcount


def postpone(connection: Connection, channel: str, ids: Sequence[str], until: datetime, *, is_held: bool) -> None:
    """Keep these back until a moment. Held ones are told together, those that still hold."""
    values: dict[str, object] = {"due_at": to_ms(until), "owner": None, "claimed_until": None}
    held = {"is_held": True} if is_held else {}
    connection.execute(update(deliveries).where(*_these(channel, ids)).values(values | held))


def drop(connection: Connection, channel: str, ids: Sequence[str], at: datetime) -> None:
    """These are over and are not told."""
    _end(connection, channel, ids, "dropped", at)


def next_due(connection: Connection, channels: Sequence[str], now: datetime) -> datetime | None:
    """When the next delivery is due, or a claim that nobody ended runs out."""
    open_ones = (deliveries.c.channel.in_(channels), deliveries.c.state == "due")
    rows = connection.execute(select(deliveries.c.due_at, deliveries.c.claimed_until).where(*open_ones)).all()
    return min((from_ms(max(row.due_at, row.claimed_until or 0)) for row in rows), default=None)


def count_sent(connection: Connection, channel: str, since: datetime) -> int:
    """How many notices a channel took since a moment."""
    took = (deliveries.c.channel == channel, deliveries.c.state == "sent", deliveries.c.ended_at > to_ms(since))
    return int(connection.execute(select(func.count()).select_from(deliveries).where(*took)).scalar_one())


def states(connection: Connection) -> dict[str, ChannelState]:
    """How the channels have been doing, by name."""
    rows = connection.execute(select(channel_states)).mappings()
    return {
        str(row["channel"]): ChannelState(
            channel=row["channel"],
            worked_at=from_ms(row["worked_at"]),
            failed_at=from_ms(row["failed_at"]),
            failures=row["failures"],
            words=row["words"],
        )
        for row in rows
    }


def forget_channel(connection: Connection, channel: str) -> None:
    """Drop what a channel has not sent, and how it was doing."""
    connection.execute(delete(deliveries).where(deliveries.c.channel == channel))
    connection.execute(delete(channel_states).where(channel_states.c.channel == channel))


def mute(connection: Connection, until: datetime | None) -> None:
    """Hold everything back until a moment; None ends it."""
    if until is None:
        connection.execute(delete(mutes).where(mutes.c.scope == _ALL))
        held = (deliveries.c.state == "due", deliveries.c.is_held)
        connection.execute(update(deliveries).where(*held).values(due_at=0))
        return
    upsert(connection, mutes, [{"scope": _ALL, "until": to_ms(until)}])


def muted_until(connection: Connection, now: datetime) -> datetime | None:
    """Until when everything is held back, None when nothing is."""
    asked = select(mutes.c.until).where(mutes.c.scope == _ALL, mutes.c.until > to_ms(now))
    return from_ms(connection.execute(asked).scalar())


def _free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    is_free = or_(deliveries.c.claimed_until.is_(None), deliveries.c.claimed_until <= to_ms(now))
    return deliveries.c.state == "due", is_free


def _these(channel: str, ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return deliveries.c.channel == channel, deliveries.c.notice.in_(ids)


def _end(connection: Connection, channel: str, ids: Sequence[str], state: str, at: datetime) -> None:
    ended = {"state": state, "ended_at": to_ms(at), "owner": None, "claimed_until": None}
    connection.execute(update(deliveries).where(*_these(channel, ids)).values(ended))
