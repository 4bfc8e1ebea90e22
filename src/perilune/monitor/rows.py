"""Rows of history: sums of the ledger and of other programs' logs as documents."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from perilune.core.money import Money, MoneyDocument
from perilune.quota import history as doc
from perilune.store import ledger
from perilune.store.local_use import LoggedTotal
from perilune.store.recorded import Peak


def summed(
    totals: Sequence[ledger.Total],
    *,
    label: str | None,
    start: datetime | None = None,
    peaks: Sequence[doc.PeakDocument] = (),
) -> doc.HistoryRow:
    """One row of the ledger; currencies stay apart."""
    return doc.HistoryRow(
        label=label,
        start=start,
        requests=sum(one.requests for one in totals),
        failed=sum(one.failed for one in totals),
        input_tokens=sum(one.input_tokens for one in totals),
        cache_read_tokens=sum(one.cache_read_tokens for one in totals),
        output_tokens=sum(one.output_tokens for one in totals),
        unpriced=sum(one.unpriced for one in totals),
        costs=list(_costs(totals)),
        peaks=list(peaks),
    )


def logged_row(total: LoggedTotal, *, label: str | None, start: datetime | None = None) -> doc.HistoryRow:
    """One row of another program's log."""
    return doc.HistoryRow(
        label=label,
        start=start,
        origin=total.origin,
        estimated=True,
        requests=total.requests,
        input_tokens=total.input_tokens,
        cache_read_tokens=total.cache_read_tokens,
        output_tokens=total.output_tokens,
    )


def _costs(totals: Iterable[ledger.Total]) -> Iterator[doc.CostDocument]:
    sums: dict[tuple[str, str | None], tuple[int, Decimal | None]] = {}
    for one in totals:
        if one.unit_of_cost not in ("money", "quota"):
            continue
        count, cost = sums.get((one.unit_of_cost, one.currency), (0, None))
        added = one.cost if cost is None else cost + (one.cost or 0)
        sums[one.unit_of_cost, one.currency] = count + one.requests, added
    for (unit, currency), (count, cost) in sums.items():
        money = None if cost is None or currency is None else MoneyDocument.of(Money(cost, currency))
        yield doc.CostDocument("quota" if unit == "quota" else "money", count, money)


def peak_document(peak: Peak) -> doc.PeakDocument:
    return doc.PeakDocument(peak.account, peak.window, round(peak.used_ratio, 6))
