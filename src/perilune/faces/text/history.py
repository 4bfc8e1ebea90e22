"""History as a table: one row a day, hour, model, route, key or account; a column for each currency, never a sum."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from perilune.core.messages import Voice
from perilune.core.money import Money, MoneyDocument
from perilune.core.width import pad, width
from perilune.faces.text.figures import UNKNOWN, exact
from perilune.quota.forecast import SHORT_WINDOW
from perilune.quota.history import LEDGER, HistoryDocument, HistoryRow
from perilune.quota.wording import percent_used, window_word

_LEAST = {"label": 10, "requests": 8, "input": 10, "output": 10, "cost": 8, "peak": 8}
_WITH_PEAKS = ("day", "hour", "account")
_KILO = 1000
_CENT = Decimal("0.01")


def history_lines(document: HistoryDocument, voice: Voice, columns: int = 80, *, is_verbose: bool = False) -> list[str]:
    """The whole text."""
    if not document.rows:
        return [voice.say("history.nothing")]
    table = [_headings(document, voice), *(_cells(row, document, voice) for row in document.rows)]
    widths = [max(_least(document)[n], *(width(row[n]) for row in table)) for n in range(len(table[0]) - 1)]
    is_wide_enough = sum(widths) + 2 * (len(widths) - 1) <= columns
    lines = [_line(row, widths) for row in table] if is_wide_enough else list(_stacked(table))
    lines += _notes(document, voice)
    return [*lines, *_happened(document, voice)] if is_verbose else lines


def tokens_shown(count: int) -> str:
    """`812`, `12.4k`, `3.1M`, cut, so that no more is promised than there was."""
    if count < _KILO:
        return str(count)
    unit, size = ("k", _KILO) if count < _KILO**2 else ("M", _KILO**2)
    tenths = count * 10 // size
    return f"{tenths // 10}.{tenths % 10}{unit}"


def _headings(document: HistoryDocument, voice: Voice) -> list[str]:
    costs = [voice.say("history.head.cost", currency=currency) for currency in document.currencies]
    peak = [voice.say("history.head.peak")] if document.by in _WITH_PEAKS else []
    words = [voice.say(f"history.head.{name}") for name in (document.by, "requests", "input", "output")]
    return [*words, *costs, *peak, ""]


def _least(document: HistoryDocument) -> list[int]:
    names = ["label", "requests", "input", "output", *("cost" for _ in document.currencies), "peak"]
    return [_LEAST[name] for name in names]


def _cells(row: HistoryRow, document: HistoryDocument, voice: Voice) -> list[str]:
    counts = [
        UNKNOWN if row.requests is None else str(row.requests),
        *(UNKNOWN if count is None else tokens_shown(count) for count in (row.input_tokens, row.output_tokens)),
    ]
    costs = [_cost(row, currency) for currency in document.currencies]
    peak = [_peak(row)] if document.by in _WITH_PEAKS else []
    mark = voice.say("history.estimated") if row.estimated else ""
    return [_label(row, document, voice), *counts, *costs, *peak, mark]


def _label(row: HistoryRow, document: HistoryDocument, voice: Voice) -> str:
    if document.by == "hour" and row.start is not None:
        return f"{row.start.astimezone(voice.zone):%Y-%m-%d %H:%M}"
    return UNKNOWN if row.label is None else row.label


def _cost(row: HistoryRow, currency: str) -> str:
    """What the row cost; 0.00 where requests took plan quota, `–` where nothing is known or nothing has a price."""
    if row.requests is None or row.estimated:
        return UNKNOWN
    found = [cost.cost for cost in row.costs if cost.cost is not None and cost.cost.currency == currency]
    if not found and row.unpriced and row.unpriced == sum(cost.requests for cost in row.costs if cost.unit == "money"):
        return UNKNOWN
    return str(sum((Decimal(one.amount) for one in found), Decimal(0)).quantize(_CENT))


def _peak(row: HistoryRow) -> str:
    ratios = [peak.used_ratio for peak in row.peaks if peak.window == SHORT_WINDOW]
    return percent_used(exact(max(ratios))) if ratios else UNKNOWN


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = cells[:-1]
    shown = [pad(first, widths[0]), *(pad(cell, size, "right") for cell, size in zip(rest, widths[1:], strict=True))]
    return "  ".join([*shown, cells[-1]]).rstrip()


def _stacked(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """One fact a line, for narrow terminals."""
    headings = table[0]
    for row in table[1:]:
        yield f"{row[0]} {row[-1]}".rstrip()
        for heading, cell in zip(headings[1:-1], row[1:-1], strict=True):
            yield f"  {heading} {cell}"


def _notes(document: HistoryDocument, voice: Voice) -> list[str]:
    lines = []
    unpriced = sum(row.unpriced or 0 for row in document.rows)
    if unpriced:
        lines.append(voice.say("history.unpriced", count=unpriced))
    has_logs = any(row.origin != LEDGER for row in document.rows)
    source = voice.say("history.source_logs" if has_logs else "history.source")
    if document.recorded_since is None:
        return [*lines, source]
    first = document.recorded_since.astimezone(voice.zone).date()
    days = (document.generated_at.astimezone(voice.zone).date() - first).days
    since = voice.say("history.recorded_one" if days == 1 else "history.recorded", date=first.isoformat(), count=days)
    return [*lines, source + (" " if voice.language == "en" else "") + since]


def _happened(document: HistoryDocument, voice: Voice) -> Iterator[str]:
    for cycle in document.cycles:
        if cycle.resets_at is None or cycle.used_ratio is None:
            continue
        facts = {
            "account": cycle.account,
            "window": window_word(cycle.window, cycle.window, voice),
            "clock": _moment(cycle.resets_at, voice),
            "percent": percent_used(exact(cycle.used_ratio)),
        }
        if cycle.spent_at is not None:
            yield voice.say("history.cycle_spent", spent=_moment(cycle.spent_at, voice), **facts)
        else:
            yield voice.say("history.cycle", **facts)
    for top_up in document.top_ups:
        amount, clock = _money(top_up.amount), _moment(top_up.at, voice)
        yield voice.say("history.top_up", account=top_up.account, amount=amount, clock=clock)
    for spending in document.spending:
        yield voice.say("history.spent", account=spending.account, amount=_money(spending.spent))


def _moment(at: datetime, voice: Voice) -> str:
    return f"{at.astimezone(voice.zone):%Y-%m-%d %H:%M}"


def _money(amount: MoneyDocument) -> str:
    return Money(Decimal(amount.amount), amount.currency).shown(with_code=True)
