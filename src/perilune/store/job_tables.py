"""Tables of durable jobs. `perilune.store.versions` loads them with the others."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from perilune.store.schema import metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(500), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("repository", String(300), nullable=False),
    Column("subject", String(400), nullable=False),  # what has one running job at most: a pull request
    Column("priority", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("input", LargeBinary, nullable=False),
    Column("output", LargeBinary),
    Column("reason", String(400)),
    Column("asked_to_stop", String(16)),  # cancelled | superseded
    Column("submitted_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("claimed_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("worker", String(64)),
    Column("fence", Integer, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("lease_until", BigInteger),
    Index("jobs_by_state", "state", "not_before"),
    Index("jobs_by_subject", "subject", "state"),
)

job_steps = Table(
    "job_steps",
    metadata,
    Column("job", String(36), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("input_hash", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("output", LargeBinary, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("run", String(36), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("window", String(64), primary_key=True),
    Column("amount", String(40), nullable=False),  # requests, a ratio or money, as the window counts
    Column("expires_at", BigInteger, nullable=False),
    Index("reservations_by_account", "account", "expires_at"),
)
