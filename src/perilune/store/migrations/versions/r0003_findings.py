"""Findings across heads, what was dismissed, and where each pull request stands."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of findings."""
    op.create_table(
        "pull_findings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("pull", sa.String(length=400), nullable=False),
        sa.Column("run", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("fingerprint_code", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("side", sa.String(length=3), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("pull_findings_by_pull", "pull_findings", ["pull", "state"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("repository", sa.String(length=300), nullable=False),
        sa.Column("finding", sa.String(length=36), nullable=False),
        sa.Column("fingerprint_code", sa.String(length=64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("repository", "finding"),
    )
    op.create_index("suppressions_by_end", "suppressions", ["until"], unique=False)
    op.create_table(
        "pulls",
        sa.Column("pull", sa.String(length=400), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("reviewed_head", sa.String(length=64), nullable=True),
        sa.Column("reviewed_base", sa.String(length=300), nullable=True),
        sa.Column("run", sa.String(length=36), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pull"),
    )
