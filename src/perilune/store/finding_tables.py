"""Tables of findings across heads. `perilune.store.versions` loads them with the others."""

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from perilune.store.schema import metadata

pull_findings = Table(
    "pull_findings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("pull", String(400), nullable=False),  # forge/host/repository/number
    Column("run", String(36), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("fingerprint_code", String(64), nullable=False),
    Column("path", Text, nullable=False),
    Column("side", String(3), nullable=False),
    Column("quote", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("thread", String(200)),
    Column("url", Text),
    Column("updated_at", BigInteger, nullable=False),
    Index("pull_findings_by_pull", "pull", "state"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("repository", String(300), primary_key=True),
    Column("finding", String(36), primary_key=True),
    Column("fingerprint_code", String(64), nullable=False),
    Column("words", Text, nullable=False),
    Column("by", String(200), nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("suppressions_by_end", "until"),
)

pulls = Table(
    "pulls",
    metadata,
    Column("pull", String(400), primary_key=True),
    Column("is_paused", Boolean, nullable=False),
    Column("reviewed_head", String(64)),
    Column("reviewed_base", String(300)),
    Column("run", String(36)),
    Column("updated_at", BigInteger, nullable=False),
)
