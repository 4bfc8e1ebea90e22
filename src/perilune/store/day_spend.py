"""What the reviews of one repository have spent since a moment, from the ledger."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from sqlalchemy import select

from perilune.store.engine import Store
from perilune.store.job_tables import jobs
from perilune.store.schema import requests
from perilune.store.times import to_ms


class Spent(Struct, frozen=True, kw_only=True):
    """Requests that left for a vendor, and money by currency."""

    requests: int = 0
    cost: dict[str, Decimal] = {}


def spent_since(store: Store, repository: str, since: datetime) -> Spent:
    """What all jobs about a repository took together."""
    asked = (
        select(requests.c.cost, requests.c.currency)
        .join(jobs, jobs.c.id == requests.c.run)
        .where(jobs.c.repository == repository, requests.c.received_at >= to_ms(since), requests.c.attempts > 0)
    )
    with store.read() as connection:
        rows = connection.execute(asked).all()
    cost: dict[str, Decimal] = {}
    for amount, currency in rows:
        if amount is not None and currency is not None:
            cost[currency] = cost.get(currency, Decimal(0)) + Decimal(amount)
    return Spent(requests=len(rows), cost=cost)
