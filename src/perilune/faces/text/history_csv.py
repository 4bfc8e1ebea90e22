"""History as CSV (RFC 4180): one header row, UTC times, exact numbers; what is not known is empty."""

import csv
import io
from decimal import Decimal

from perilune.core.instants import to_rfc3339
from perilune.core.numbers import plain
from perilune.quota.history import HistoryDocument, HistoryRow

_COUNTS = ("requests", "failed", "input_tokens", "cache_read_tokens", "output_tokens", "unpriced")


def history_csv(document: HistoryDocument) -> str:
    """The rows of a history."""
    windows = sorted({peak.window for row in document.rows for peak in row.peaks})
    costs = [f"cost_{currency.lower()}" for currency in document.currencies]
    head = [document.by, "start", "origin", "estimated", *_COUNTS, "quota_requests", *costs]
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([*head, *(f"peak_{window}" for window in windows)])
    for row in document.rows:
        writer.writerow(_cells(row, document.currencies, windows))
    return written.getvalue()


def _cells(row: HistoryRow, currencies: list[str], windows: list[str]) -> list[object]:
    counts = [getattr(row, name) for name in _COUNTS]
    has_costs = row.requests is not None and not row.estimated
    quota = sum(cost.requests for cost in row.costs if cost.unit == "quota") if has_costs else None
    start = None if row.start is None else to_rfc3339(row.start)
    costs = [_cost(row, currency) for currency in currencies]
    peaks = [_peak(row, window) for window in windows]
    cells = [row.label, start, row.origin, str(row.estimated).lower(), *counts, quota, *costs, *peaks]
    return ["" if cell is None else cell for cell in cells]


def _cost(row: HistoryRow, currency: str) -> str | None:
    found = [Decimal(cost.cost.amount) for cost in row.costs if cost.cost and cost.cost.currency == currency]
    return plain(sum(found, Decimal(0)), least_places=2) if found else None


def _peak(row: HistoryRow, window: str) -> float | None:
    return max((peak.used_ratio for peak in row.peaks if peak.window == window), default=None)
