"""Hours of windows, and what other programs on this machine used."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_HOUR_MS = 3_600_000
# The last reliable reading of each hour and reset stands for all of them; where none is reliable, the last.
_FILL = f"""
INSERT INTO window_hours (account, "window", hour, began_at, at, readings, used_ratio, peak_ratio, used, "limit",
                          resets_at, origin, is_reliable, has_conflict)
SELECT account, "window", at / {_HOUR_MS} * {_HOUR_MS}, began_at, at, readings, used_ratio,
       CASE WHEN is_reliable THEN used_ratio END, used, "limit", resets_at, origin, is_reliable, has_conflict
FROM (
    SELECT w.*,
           ROW_NUMBER() OVER (PARTITION BY account, "window", at / {_HOUR_MS}, resets_at
                              ORDER BY is_reliable DESC, at DESC, id DESC) AS place,
           COUNT(*) OVER (PARTITION BY account, "window", at / {_HOUR_MS}, resets_at) AS readings,
           MIN(at) OVER (PARTITION BY account, "window", at / {_HOUR_MS}, resets_at) AS began_at
    FROM window_samples w
) ranked
WHERE place = 1
ORDER BY at
"""  # noqa: S608 - nothing of it comes from outside


def upgrade() -> None:
    """Create the tables and fill the hours from the readings that are there."""
    op.create_table(
        "window_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("window", sa.String(length=64), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("used_ratio", sa.String(length=40), nullable=True),
        sa.Column("peak_ratio", sa.String(length=40), nullable=True),
        sa.Column("used", sa.String(length=40), nullable=True),
        sa.Column("limit", sa.String(length=40), nullable=True),
        sa.Column("resets_at", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.String(length=32), nullable=True),
        sa.Column("is_reliable", sa.Boolean(), nullable=False),
        sa.Column("has_conflict", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("window_hours_by_window", "window_hours", ["account", "window", "hour"], unique=False)
    op.create_index("window_hours_by_time", "window_hours", ["hour"], unique=False)
    op.create_table(
        "local_use",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_read_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_write_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("local_use_by_time", "local_use", ["at"], unique=False)
    op.create_table(
        "local_logs",
        sa.Column("file", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("file"),
    )
    op.execute(_FILL)
