"""States of scopes that outlive a process and are shared by all, and the permits to try a scope again."""

import json
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, delete, or_, select, update

from perilune.store.schema import permits, scope_states
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import insert_for, upsert


class StateRow(Struct, frozen=True, kw_only=True):
    """One scope that is not closed. `document` holds everything its owner wants back, as JSON text."""

    scope: str
    state: str
    reason: str
    since: datetime
    document: str
    until: datetime | None = None
    code: str | None = None


def save(connection: Connection, row: StateRow, at: datetime) -> None:
    """Keep a state that opened or changed."""
    written = {
        "scope": row.scope, "state": row.state, "reason": row.reason, "code": row.code, "since": to_ms(row.since),
        "until": to_ms(row.until), "document": row.document, "updated_at": to_ms(at),
    }  # fmt: skip
    upsert(connection, scope_states, [written])


def remove(connection: Connection, scope: str) -> None:
    """Forget a scope that closed."""
    connection.execute(delete(scope_states).where(scope_states.c.scope == scope))


def all_states(connection: Connection) -> list[StateRow]:
    """Every scope that is not closed."""
    rows = connection.execute(select(scope_states).order_by(scope_states.c.scope)).mappings()
    return [
        StateRow(
            scope=row["scope"], state=row["state"], reason=row["reason"], code=row["code"],
            since=from_ms(row["since"]), until=from_ms(row["until"]), document=row["document"],
        )
        for row in rows
    ]  # fmt: skip


def take_permit(connection: Connection, scope: str, owner: str, at: datetime, until: datetime) -> bool:
    """Take the one permit of a scope, if it is free, expired, or the owner's already."""
    statement = insert_for(connection, permits).values(scope=scope, owner=owner, expires_at=to_ms(until))
    is_free = or_(permits.c.expires_at <= to_ms(at), permits.c.owner == owner)
    excluded = statement.excluded
    taken = statement.on_conflict_do_update(
        index_elements=["scope"], set_={"owner": excluded.owner, "expires_at": excluded.expires_at}, where=is_free
    )
    return connection.execute(taken.returning(permits.c.scope)).first() is not None


def return_permit(connection: Connection, scope: str, owner: str) -> None:
    """Give a permit back; one that somebody else has taken over stays."""
    connection.execute(delete(permits).where(permits.c.scope == scope, permits.c.owner == owner))


def rename(connection: Connection, account: str, name: str) -> None:
    """Let the open scopes of an account go by another name; what that name had open is replaced."""
    for row in connection.execute(select(scope_states.c.scope, scope_states.c.document)).all():
        scope = _renamed(row.scope, account, name)
        if scope is None:
            continue
        document = json.dumps({**json.loads(row.document), "scope": scope})
        remove(connection, scope)
        named = scope_states.c.scope == row.scope
        connection.execute(update(scope_states).where(named).values(scope=scope, document=document))


def _renamed(scope: str, account: str, name: str) -> str | None:
    """`account:NAME`, `slot:NAME/MODEL`, `surface:NAME/…`, `agent:NAME/…` under another name; None for any other."""
    kind, _, rest = scope.partition(":")
    owner, slash, more = rest.partition("/")
    if kind not in ("account", "slot", "surface", "agent") or owner != account:
        return None
    return f"{kind}:{name}{slash}{more}"
