"""Notes when a vendor's answer takes another shape: which fields, never their values, and each once."""

from sqlalchemy import Connection

from perilune.quota.drift import gained
from perilune.quota.snapshot import Snapshot
from perilune.store.events import Event, append
from perilune.store.rows import encoded

_SHOWN = 6


def note_drift(connection: Connection, before: Snapshot | None, after: Snapshot) -> None:
    """One event for the fields that are adrift and were not before; the first reading of an account tells none."""
    new = gained(before, after)
    if before is None or not new:
        return
    document = encoded({"fields": ", ".join(new.names[:_SHOWN]), "count": len(new.names)})
    append(connection, Event(at=after.fetched_at, kind="drift", account=after.account, document=document))
