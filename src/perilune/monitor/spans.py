"""Rows of history by day and hour: every one since recording began, also those without anything."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from sqlalchemy import Connection

from perilune.core.instants import to_rfc3339
from perilune.monitor.rows import logged_row, summed
from perilune.quota import history as doc
from perilune.quota.buckets import SIZES, Segment, Size, segments, start_of_number, starts
from perilune.store import ledger, local_use, recorded


class _Found:
    """What there is, by the beginning of its day or hour."""

    def __init__(self) -> None:
        self.totals: dict[datetime, list[ledger.Total]] = {}
        self.peaks: dict[datetime, dict[tuple[str, str], float]] = {}
        self.logged: dict[datetime, list[local_use.LoggedTotal]] = {}
        self.read: set[datetime] = set()


def span_rows(
    connection: Connection,
    since: datetime,
    until: datetime,
    zone: tzinfo,
    size: Size,
    first: datetime | None,
    *,
    with_logs: bool = False,
) -> list[doc.HistoryRow]:
    """One row each, followed by what other programs logged of it. `first` is when recording began."""
    found = _Found()
    begins = [one for one in (first, local_use.first_at(connection) if with_logs else None) if one is not None]
    if not begins:
        return []
    begin = max(since, min(begins))
    for segment in segments(begin, until, zone):
        _look(connection, segment, found, size, zone)
        if with_logs:
            _look_at_logs(connection, segment, found, size, zone)
    told: list[doc.HistoryRow] = []
    for start in starts(begin, until, zone, size):
        told.extend(_of(start, found, size, zone))
    return told


def _of(start: datetime, found: _Found, size: Size, zone: tzinfo) -> Iterator[doc.HistoryRow]:
    label = f"{start.astimezone(zone):%Y-%m-%d}" if size == "day" else to_rfc3339(start)
    totals = found.totals.get(start, [])
    if totals or start in found.read:
        peaks = [
            doc.PeakDocument(account, window, round(ratio, 6))
            for (account, window), ratio in sorted(found.peaks.get(start, {}).items())
        ]
        yield summed(totals, label=label, start=start, peaks=peaks)
    else:
        yield doc.HistoryRow(label=label, start=start)
    for total in found.logged.get(start, []):
        yield logged_row(total, label=label, start=start)


def _look(connection: Connection, segment: Segment, found: _Found, size: Size, zone: tzinfo) -> None:
    around = (connection, segment.start, segment.end, SIZES[size], segment.offset)

    def start_of(number: int) -> datetime:
        return start_of_number(number, segment, zone, size)

    for number, total in ledger.totals_by_number(*around):
        found.totals.setdefault(start_of(number), []).append(total)
    for peak in recorded.peaks(*around):
        of_start = found.peaks.setdefault(start_of(peak.number or 0), {})
        key = peak.account, peak.window
        of_start[key] = max(of_start.get(key, 0.0), peak.used_ratio)
    found.read.update(start_of(number) for number in recorded.numbers_read(*around))


def _look_at_logs(connection: Connection, segment: Segment, found: _Found, size: Size, zone: tzinfo) -> None:
    around = (connection, segment.start, segment.end, SIZES[size], segment.offset)
    for logged in local_use.totals_by_number(*around):
        found.logged.setdefault(start_of_number(logged.label, segment, zone, size), []).append(logged)
