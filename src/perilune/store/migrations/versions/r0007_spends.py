"""What was used of budgets, and what requests under way hold."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables of budgets."""
    op.create_table(
        "spends",
        sa.Column("budget", sa.String(length=120), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("budget", "period", "unit"),
    )
    op.create_table(
        "spend_holds",
        sa.Column("request", sa.String(length=36), nullable=False),
        sa.Column("budget", sa.String(length=120), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request", "budget", "period", "unit"),
    )
    op.create_index("spend_holds_by_budget", "spend_holds", ["budget", "period", "unit"], unique=False)
