"""The table of thoughts. `perilune.store.versions` loads it with the others."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from perilune.store.schema import metadata

thoughts = Table(
    "thoughts",
    metadata,
    Column("history", String(32), primary_key=True),  # digest of the turns before
    Column("turn", String(32), primary_key=True),  # digest of the turn itself
    Column("session", String(64)),  # a digest, never the client's own id
    Column("at", BigInteger, nullable=False),
    Column("sealed", Text, nullable=False),  # model output, never readable here
    Index("thoughts_by_turn", "turn"),
    Index("thoughts_by_time", "at"),
)
