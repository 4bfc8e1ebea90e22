"""The gateway's own keys: a digest each, never the key itself."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select, update

from perilune.store.schema import gateway_keys
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import insert_for


class StoredKey(Struct, frozen=True, kw_only=True):
    """One key. Shape: `digest` SHA-256 as hex, `tail` its last characters, `document` its settings as JSON text."""

    id: str
    name: str
    digest: str
    tail: str
    created_at: datetime
    revoked_at: datetime | None = None
    document: str = "{}"


def create(connection: Connection, key: StoredKey) -> bool:
    """Keep a new key; False when its name is taken, and nothing is written then."""
    row = {
        "id": key.id, "name": key.name, "digest": key.digest, "tail": key.tail, "document": key.document,
        "created_at": to_ms(key.created_at), "revoked_at": to_ms(key.revoked_at),
    }  # fmt: skip
    statement = insert_for(connection, gateway_keys).values(row).on_conflict_do_nothing()
    return connection.execute(statement.returning(gateway_keys.c.id)).first() is not None


def revoke(connection: Connection, name: str, at: datetime, document: str | None = None) -> bool:
    """End a key for good, with other settings where given; False when there is no such key or it has ended already."""
    named = (gateway_keys.c.name == name) & gateway_keys.c.revoked_at.is_(None)
    values = {"revoked_at": to_ms(at)} | ({} if document is None else {"document": document})
    statement = update(gateway_keys).where(named).values(values).returning(gateway_keys.c.id)
    return connection.execute(statement).first() is not None


def change(connection: Connection, name: str, document: str) -> bool:
    """Give a key other settings; False when no key in use has that name."""
    named = (gateway_keys.c.name == name) & gateway_keys.c.revoked_at.is_(None)
    statement = update(gateway_keys).where(named).values(document=document).returning(gateway_keys.c.id)
    return connection.execute(statement).first() is not None


def all_keys(connection: Connection) -> list[StoredKey]:
    """Every key there ever was, oldest first."""
    rows = connection.execute(select(gateway_keys).order_by(gateway_keys.c.created_at, gateway_keys.c.id)).mappings()
    return [
        StoredKey(**{**row, "created_at": from_ms(row["created_at"]), "revoked_at": from_ms(row["revoked_at"])})
        for row in rows
    ]
