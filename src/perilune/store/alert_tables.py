"""Tables of alerts: what was told, to whom it still has to go. `perilune.store.versions` loads them with the others."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from perilune.store.schema import metadata

alert_edges = Table(
    "alert_edges",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("document", Text, nullable=False),  # quota.alerts.model.Edges
    Column("updated_at", BigInteger, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("once", String(300), nullable=False, unique=True),  # what may be told only once
    Column("topic", String(300)),  # what is told as one within some minutes
    Column("at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),  # quota.alerts.model.Alert
    Index("notices_by_time", "at"),
    Index("notices_by_topic", "topic", "at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("notice", String(26), primary_key=True),
    Column("channel", String(64), primary_key=True),
    Column("state", String(8), nullable=False),  # due | sent | failed | dropped
    Column("due_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("is_held", Boolean, nullable=False, default=False),
    Column("owner", String(128)),
    Column("claimed_until", BigInteger),
    Column("ended_at", BigInteger),
    Column("words", String(400)),
    Index("deliveries_by_state", "channel", "state", "due_at"),
)

channel_states = Table(
    "channel_states",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("worked_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("failures", Integer, nullable=False, default=0),  # in a row
    Column("words", String(400)),
)

mutes = Table(
    "mutes",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("until", BigInteger, nullable=False),
)
