"""Thoughts that clients drop, sealed, for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table of thoughts."""
    op.create_table(
        "thoughts",
        sa.Column("history", sa.String(length=32), nullable=False),
        sa.Column("turn", sa.String(length=32), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("history", "turn"),
    )
    op.create_index("thoughts_by_turn", "thoughts", ["turn"], unique=False)
    op.create_index("thoughts_by_time", "thoughts", ["at"], unique=False)
