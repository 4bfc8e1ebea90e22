"""History: what was used, put together from the ledger, the readings and other programs' logs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import cast

from msgspec import Struct
from sqlalchemy import Connection

from perilune.core.instants import whole_second
from perilune.core.money import Money, MoneyDocument
from perilune.monitor.rows import logged_row, peak_document, summed
from perilune.monitor.spans import span_rows
from perilune.quota import history as doc
from perilune.quota.balance import BalanceSample, burn_per_day, days_left, spent
from perilune.quota.cycles import Cycle, cycles, rises
from perilune.quota.rhythm import rhythm
from perilune.quota.samples import Sample
from perilune.store import keys, ledger, local_use, recorded
from perilune.store.engine import Store

READINGS = "readings"
_ALL_TIME = timedelta(0)


class Asked(Struct, frozen=True, kw_only=True):
    """What is wanted.

    Shape: `with_cycles` adds the runs of windows, top-ups and spending, by hour also their rhythm; `with_logs` what
    other programs logged.
    """

    since: datetime
    until: datetime
    by: doc.By
    zone: tzinfo
    with_cycles: bool = True
    with_logs: bool = False


def history(store: Store, asked: Asked) -> doc.HistoryDocument:
    """What the store recorded."""
    with store.read() as connection:
        first = recorded.recorded_since(connection)
        rows = _rows(connection, asked, first)
        balances = recorded.balance_pasts(connection, asked.since, asked.until)
        pasts = recorded.window_pasts(connection, asked.since, asked.until) if asked.with_cycles else {}
        risen = recorded.top_ups(connection, asked.since, asked.until) if asked.with_cycles else []
        has_readings = recorded.has_readings(connection)
    runs = {key: cycles(samples) for key, samples in pasts.items()}
    origins = sorted({row.origin for row in rows if row.estimated})
    paid = {cost.cost.currency for row in rows for cost in row.costs if cost.cost is not None}
    return doc.HistoryDocument(
        generated_at=_second(asked.until),
        since=_second(asked.since),
        by=asked.by,
        tz=str(asked.zone),
        recorded_since=whole_second(first),
        sources=[doc.LEDGER, *([READINGS] if has_readings else []), *origins],
        currencies=sorted(paid | {currency for _, currency in balances}),
        rows=rows,
        cycles=[_cycle(account, window, run) for (account, window), found in runs.items() for run in found],
        top_ups=[
            doc.TopUpDocument(_second(one.at), one.account, MoneyDocument(one.amount, one.currency)) for one in risen
        ],
        spending=_spending(balances, asked.until) if asked.with_cycles else [],
        rhythms=list(_rhythms(pasts, asked)) if asked.by == "hour" else [],
    )


def _rows(connection: Connection, asked: Asked, first: datetime | None) -> list[doc.HistoryRow]:
    if asked.by == "day" or asked.by == "hour":
        return span_rows(connection, asked.since, asked.until, asked.zone, asked.by, first, with_logs=asked.with_logs)
    return _labelled(connection, asked, cast("ledger.Dimension", asked.by))


def _labelled(connection: Connection, asked: Asked, dimension: ledger.Dimension) -> list[doc.HistoryRow]:
    """Rows by model, route, key or account."""
    found = ledger.totals(connection, asked.since, asked.until, by=dimension)
    by_label: dict[str | None, list[ledger.Total]] = {}
    for total in found:
        by_label.setdefault(total.label, []).append(total)
    peaks: dict[str, list[doc.PeakDocument]] = {}
    if dimension == "account":
        for peak in recorded.peaks(connection, asked.since, asked.until, None, _ALL_TIME):
            peaks.setdefault(peak.account, []).append(peak_document(peak))
            by_label.setdefault(peak.account, [])
    names = {key.id: key.name for key in keys.all_keys(connection)} if dimension == "key" else {}
    rows = [
        summed(totals, label=names.get(label or "", label), peaks=peaks.get(label or "", []))
        for label, totals in sorted(by_label.items(), key=lambda item: (item[0] is None, item[0] or ""))
    ]
    if not asked.with_logs:
        return rows
    logged = local_use.totals(connection, asked.since, asked.until, by_model=dimension == "model")
    return [*rows, *(logged_row(one, label=one.label if dimension == "model" else one.origin) for one in logged)]


def _cycle(account: str, window: str, run: Cycle) -> doc.CycleDocument:
    return doc.CycleDocument(
        account=account,
        window=window,
        begun_by=run.begun_by,
        confirmed=run.is_confirmed,
        first_at=_second(run.samples[0].first_at),
        last_at=_second(run.samples[-1].at),
        resets_at=whole_second(run.resets_at),
        used_ratio=None if run.peak is None else round(float(run.peak), 6),
        spent_at=whole_second(run.spent_at),
    )


def _spending(balances: Mapping[tuple[str, str], Sequence[BalanceSample]], now: datetime) -> list[doc.SpendingDocument]:
    found = []
    for (account, currency), samples in balances.items():
        burn = burn_per_day(samples, now)
        days = days_left(samples[-1].available, burn)
        money = Money(spent(samples), currency)
        found.append(
            doc.SpendingDocument(
                account=account,
                spent=MoneyDocument(money.amount_text(), currency),
                burn_per_day=None if burn is None else MoneyDocument(Money(burn, currency).amount_text(), currency),
                days_left=None if days is None else float(days),
            )
        )
    return found


def _rhythms(pasts: Mapping[tuple[str, str], Sequence[Sample]], asked: Asked) -> Iterator[doc.RhythmDocument]:
    for (account, window), samples in pasts.items():
        begin = max(samples[0].first_at, asked.since)
        yield doc.RhythmDocument(account, window, rhythm(rises(samples), begin, asked.until, asked.zone))


def _second(at: datetime) -> datetime:
    return whole_second(at) or at
