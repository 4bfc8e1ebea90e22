"""A request of the ledger, as pages and the API show it."""

from perilune.faces.api.ports import LedgerRow
from perilune.store import ledger


def ledger_row(row: ledger.Request) -> LedgerRow:
    """One row."""
    return LedgerRow(
        id=row.id,
        received_at=row.received_at,
        route=row.route,
        account=row.account,
        surface=row.surface,
        model=row.model,
        outcome=row.outcome,
        code=row.code,
        attempts=row.attempts,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost=None if row.cost is None else str(row.cost),
        currency=row.currency,
        total_ms=row.total_ms,
    )
