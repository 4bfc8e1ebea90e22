"""Live leases as rows, for systems whose kernel does not keep them: each has a process and an expiry."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, text, update

from perilune.store.schema import leases
from perilune.store.upsert import upsert


class Holder(NamedTuple):
    """A process, told apart from a later one with the same number. `host` digests machine, boot and pid namespace."""

    pid: int
    process_started: int
    host: str


def lock_group(connection: Connection, group: str) -> None:
    """Let nobody else take a place of the group before this transaction ends (SQLite's writer is alone anyway)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"leases {group}"})


def now_ms(connection: Connection, own_ms: int) -> int:
    """The time that expiries are judged by: the server's where several hosts share one."""
    if connection.dialect.name != "postgresql":
        return own_ms
    return int(connection.execute(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")).scalar_one())


def occupied(connection: Connection, group: str, at_ms: int) -> set[int]:
    """The places of live rows."""
    live = select(leases.c.place).where(leases.c.account_group == group, leases.c.expires_at > at_ms)
    return set(connection.execute(live).scalars())


def clear(connection: Connection, group: str, at_ms: int, host: str, is_alive: Callable[[int, int], bool]) -> None:
    """Remove rows that have expired, and those of dead processes of this host."""
    connection.execute(delete(leases).where(leases.c.account_group == group, leases.c.expires_at <= at_ms))
    here = select(leases.c.pid, leases.c.process_started).where(leases.c.account_group == group, leases.c.host == host)
    for pid, started in connection.execute(here.distinct()).all():
        if not is_alive(pid, started):
            connection.execute(
                delete(leases).where(leases.c.host == host, leases.c.pid == pid, leases.c.process_started == started)
            )


def clear_place(connection: Connection, group: str, place: int) -> None:
    """Remove an expired row that still stands on a place about to be taken."""
    connection.execute(delete(leases).where(leases.c.account_group == group, leases.c.place == place))


def add(connection: Connection, lease_id: str, group: str, place: int, holder: Holder, expires_ms: int) -> None:
    """Occupy a place."""
    row = {"id": lease_id, "account_group": group, "place": place, "expires_at": expires_ms, **holder._asdict()}
    connection.execute(insert(leases).values(row))


def mark_waiting(connection: Connection, mark: str, group: str, holder: Holder, expires_ms: int) -> None:
    """Say that a holder waits for a place of the group, until the mark expires."""
    row = {"id": mark, "account_group": _waiting(group), "place": hash(mark) % 2**31, "expires_at": expires_ms}
    upsert(connection, leases, [{**row, **holder._asdict()}])


def others_wait(connection: Connection, mark: str, group: str, at_ms: int) -> int:
    """How many other holders wait for a place of the group."""
    marks = select(func.count()).where(leases.c.account_group == _waiting(group), leases.c.expires_at > at_ms)
    return connection.execute(marks.where(leases.c.id != mark)).scalar_one()


def _waiting(group: str) -> str:
    return f"waiting {group}"[:64]


def remove(connection: Connection, ids: Collection[str]) -> None:
    """Free places."""
    connection.execute(delete(leases).where(leases.c.id.in_(ids)))


def prolong(connection: Connection, ids: Collection[str], expires_ms: int) -> set[str]:
    """Move the expiry of rows that are still there; the ids of those that are not."""
    mine = leases.c.id.in_(ids)
    connection.execute(update(leases).where(mine).values(expires_at=expires_ms))
    return set(ids) - set(connection.execute(select(leases.c.id).where(mine)).scalars())
