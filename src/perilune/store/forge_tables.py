"""Tables of what is written to forges and of what they deliver; `versions` loads them with the others."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from perilune.store.schema import metadata

outbox = Table(
    "outbox",
    metadata,
    Column("run", String(36), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("part", String(64), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("marker", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("sent_at", BigInteger),
    Column("refs", Text, nullable=False),  # what the forge calls it, as JSON
    Column("words", Text, nullable=False),
    Index("outbox_by_state", "state"),
)

hook_deliveries = Table(
    "hook_deliveries",
    metadata,
    Column("id", String(300), primary_key=True),  # forge and host before the forge's own id
    Column("at", BigInteger, nullable=False),
    Column("job", String(36)),
    Column("reason", String(64)),
    Index("hook_deliveries_by_time", "at"),
)
