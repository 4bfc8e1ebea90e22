"""Writes to forges as rows, kept before they are made; and deliveries of webhooks, each taken once."""

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import RowMapping, delete, select, update

from perilune.store.engine import Store
from perilune.store.forge_tables import hook_deliveries, outbox
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import insert_for, upsert

KEPT = timedelta(days=30)


class KeptWrite(Struct, frozen=True, kw_only=True):
    """One write to a forge. `refs` is JSON text of what the forge calls it."""

    run: str
    kind: str
    part: str
    body_hash: str
    marker: str
    state: str
    sent_at: datetime | None = None
    refs: str = "{}"
    words: str = ""


class Writes:
    """The outbox. Calls are synchronous; on an event loop they belong into a thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def row(self, run: str, kind: str, part: str) -> KeptWrite | None:
        """One row."""
        asked = select(outbox).where(outbox.c.run == run, outbox.c.kind == kind, outbox.c.part == part)
        with self._store.read() as connection:
            found = connection.execute(asked).mappings().first()
        return None if found is None else _write(found)

    def keep(self, row: KeptWrite) -> None:
        """Add a row, or change the one of the same name."""
        written = {
            "run": row.run, "kind": row.kind, "part": row.part, "body_hash": row.body_hash, "marker": row.marker,
            "state": row.state, "sent_at": to_ms(row.sent_at), "refs": row.refs, "words": row.words,
        }  # fmt: skip
        with self._store.begin() as connection:
            upsert(connection, outbox, [written])

    def of_run(self, run: str) -> list[KeptWrite]:
        """All rows of a run."""
        asked = select(outbox).where(outbox.c.run == run).order_by(outbox.c.kind, outbox.c.part)
        with self._store.read() as connection:
            return [_write(row) for row in connection.execute(asked).mappings()]

    def supersede(self, run: str) -> int:
        """Take what has not been sent out of the queue; how many rows."""
        waiting = (outbox.c.run == run) & (outbox.c.state == "pending")
        with self._store.begin() as connection:
            return connection.execute(update(outbox).where(waiting).values(state="superseded")).rowcount


class Deliveries:
    """Deliveries of webhooks, remembered for 30 days."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, delivery: str, at: datetime) -> bool:
        """Whether this delivery is new; it is remembered from now on, and what is too old is forgotten."""
        row = {"id": delivery[:300], "at": to_ms(at)}
        with self._store.begin() as connection:
            connection.execute(delete(hook_deliveries).where(hook_deliveries.c.at < to_ms(at - KEPT)))
            insert = insert_for(connection, hook_deliveries).values(row).on_conflict_do_nothing(index_elements=["id"])
            return connection.execute(insert.returning(hook_deliveries.c.id)).first() is not None

    def settle(self, delivery: str, job: str | None, reason: str | None) -> None:
        """Keep what became of a delivery."""
        which = hook_deliveries.c.id == delivery[:300]
        with self._store.begin() as connection:
            connection.execute(update(hook_deliveries).where(which).values(job=job, reason=reason))

    def forget(self, delivery: str) -> None:
        """A delivery that could not be worked on may come again."""
        with self._store.begin() as connection:
            connection.execute(delete(hook_deliveries).where(hook_deliveries.c.id == delivery[:300]))

    def job(self, delivery: str) -> str | None:
        """The job that a delivery led to."""
        with self._store.read() as connection:
            found: str | None = connection.execute(
                select(hook_deliveries.c.job).where(hook_deliveries.c.id == delivery[:300])
            ).scalar()
        return found


def _write(row: RowMapping) -> KeptWrite:
    plain = {name: row[name] for name in ("run", "kind", "part", "body_hash", "marker", "state", "refs", "words")}
    return KeptWrite(**plain, sent_at=from_ms(row["sent_at"]))
