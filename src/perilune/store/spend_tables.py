"""Tables of budgets: what was used, and what requests under way hold. `perilune.store.versions` loads them."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from perilune.store.schema import metadata

spends = Table(
    "spends",
    metadata,
    Column("budget", String(120), primary_key=True),
    Column("period", BigInteger, primary_key=True),
    Column("unit", String(8), primary_key=True),
    Column("used", BigInteger, nullable=False),  # billionths of a currency, tokens, or requests
)

spend_holds = Table(
    "spend_holds",
    metadata,
    Column("request", String(36), primary_key=True),
    Column("budget", String(120), primary_key=True),
    Column("period", BigInteger, primary_key=True),
    Column("unit", String(8), primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("spend_holds_by_budget", "budget", "period", "unit"),
)
