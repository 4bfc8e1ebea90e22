"""History as people and programs read it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.g1 import NOW, voice

from perilune.core.money import MoneyDocument
from perilune.core.width import width
from perilune.faces.since import since
from perilune.faces.text.history import history_lines, tokens_shown
from perilune.faces.text.history_csv import history_csv
from perilune.quota.history import (
    By,
    CostDocument,
    CycleDocument,
    HistoryDocument,
    HistoryRow,
    PeakDocument,
    SpendingDocument,
    TopUpDocument,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
CSV_HEAD = (
    "day,start,origin,estimated,requests,failed,input_tokens,cache_read_tokens,output_tokens,unpriced,quota_requests,"
    "cost_cny,cost_usd,peak_5h,peak_7d"
)
EN = """\
DAY         REQUESTS   IN TOKENS  OUT TOKENS  COST CNY  COST USD  5 H PEAK
2026-11-18        96        3.1M       41.2k      0.00      0.00       44%
2026-11-19       128        4.0M       58.8k      0.00      1.21      100%
2026-11-20       139        4.4M       61.0k      0.00      0.00       69%
Source: our ledger (exact) and readings. Recorded since 2026-04-22 (212 days)."""
ZH = """\
日期        请求  输入token  输出token  费用CNY  费用USD  5小时峰值
2026-11-18  96  3.1M  41.2k  0.00  0.00  44%
2026-11-19  128  4.0M  58.8k  0.00  1.21  100%
2026-11-20  139  4.4M  61.0k  0.00  0.00  69%
来源：本机账本（精确）和读数。自 2026-04-22 起记录（212 天）。"""


def day(number: int, requests: int, tokens: tuple[int, int], peak: float, usd: str | None = None) -> HistoryRow:
    start = datetime(2026, 11, number - 1, 16, tzinfo=UTC)
    costs = [CostDocument("quota", requests - 1, None)]
    costs += [CostDocument("money", 1, MoneyDocument(usd, "USD"))] if usd else []
    return HistoryRow(
        label=f"2026-11-{number}", start=start, requests=requests, failed=0, input_tokens=tokens[0],
        cache_read_tokens=0, output_tokens=tokens[1], unpriced=0, costs=costs,
        peaks=[PeakDocument("work", "5h", peak), PeakDocument("work", "7d", 0.9)],
    )  # fmt: skip


ROWS = [
    day(18, 96, (3_100_000, 41_200), 0.44),
    day(19, 128, (4_012_345, 58_899), 1.0, "1.21"),
    day(20, 139, (4_499_999, 61_000), 0.695),
]


def document(rows: list[HistoryRow], by: By = "day") -> HistoryDocument:
    return HistoryDocument(
        generated_at=NOW, since=NOW - timedelta(days=2), by=by, tz="Asia/Shanghai",
        recorded_since=datetime(2026, 4, 22, 1, tzinfo=UTC), sources=["ledger", "readings"],
        currencies=["CNY", "USD"], rows=rows,
        cycles=[
            CycleDocument(account="work", window="5h", begun_by="reset", confirmed=True, first_at=NOW, last_at=NOW,
                          resets_at=NOW, used_ratio=1.0, spent_at=NOW - timedelta(hours=1)),
            CycleDocument(account="work", window="7d", begun_by="reset", confirmed=True, first_at=NOW, last_at=NOW,
                          resets_at=NOW, used_ratio=0.64, spent_at=None),
        ],
        top_ups=[TopUpDocument(NOW, "lab", MoneyDocument("50.00", "CNY"))],
        spending=[
            SpendingDocument(account="ci", spent=MoneyDocument("3.45", "USD"), burn_per_day=None, days_left=None)
        ],
    )  # fmt: skip


def test_the_table_of_the_reference() -> None:
    assert "\n".join(history_lines(document(ROWS), voice())) == EN


def test_the_table_in_chinese_has_the_same_columns() -> None:
    lines = [line.replace(" ", "") for line in history_lines(document(ROWS), voice("zh-CN"))]
    assert lines == [line.replace(" ", "") for line in ZH.splitlines()]


def test_a_day_without_data_and_a_day_without_use_are_told_apart() -> None:
    empty = HistoryRow(label="2026-11-18")
    unused = HistoryRow(
        label="2026-11-19", requests=0, failed=0, input_tokens=0, cache_read_tokens=0, output_tokens=0, unpriced=0
    )
    lines = history_lines(document([empty, unused]), voice())
    assert lines[1].split() == ["2026-11-18", *["–"] * 6]
    assert lines[2].split() == ["2026-11-19", "0", "0", "0", "0.00", "0.00", "–"]


def test_what_other_programs_logged_is_marked() -> None:
    logged = HistoryRow(
        label="2026-11-20", origin="kimi-log", estimated=True, requests=7, input_tokens=900, output_tokens=50
    )
    lines = history_lines(document([ROWS[2], logged]), voice())
    assert lines[2].split() == ["2026-11-20", "7", "900", "50", "–", "–", "–", "est"]
    assert lines[-1].startswith("Source: our ledger (exact), readings and local logs (est).")


def test_requests_without_a_price_are_in_no_cost() -> None:
    row = HistoryRow(
        label="m", requests=3, failed=0, input_tokens=1, cache_read_tokens=0, output_tokens=1, unpriced=3,
        costs=[CostDocument("money", 3, None)],
    )  # fmt: skip
    lines = history_lines(document([row], "model"), voice())
    assert lines[0].split()[0] == "MODEL"
    assert lines[1].split() == ["m", "3", "1", "1", "–", "–"]
    assert lines[2] == "Requests without a price, in no cost: 3."


def test_more_is_told_when_asked() -> None:
    lines = history_lines(document(ROWS), voice(), is_verbose=True)
    assert lines[5:] == [
        "work: 5 h until 2026-11-20 20:00: 100% used, spent 2026-11-20 19:00",
        "work: 7 days until 2026-11-20 20:00: 64% used",
        "lab: topped up by at least CNY 50.00, 2026-11-20 20:00",
        "ci: USD 3.45 spent, by its readings",
    ]


@pytest.mark.parametrize("columns", [40, 60])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_narrow_terminals_get_one_fact_a_line(columns: int, language) -> None:
    lines = history_lines(document(ROWS), voice(language), columns)
    assert lines[0] == "2026-11-18"
    assert max(width(line) for line in lines[:-1]) <= 40


def test_nothing_recorded_is_said() -> None:
    (line,) = history_lines(document([]), voice())
    assert line.startswith("Nothing is recorded yet")


def test_csv_has_one_header_row_and_exact_numbers() -> None:
    lines = history_csv(document(ROWS)).split("\r\n")
    assert lines == [
        CSV_HEAD,
        "2026-11-18,2026-11-17T16:00:00Z,ledger,false,96,0,3100000,0,41200,0,95,,,0.44,0.9",
        "2026-11-19,2026-11-18T16:00:00Z,ledger,false,128,0,4012345,0,58899,0,127,,1.21,1.0,0.9",
        "2026-11-20,2026-11-19T16:00:00Z,ledger,false,139,0,4499999,0,61000,0,138,,,0.695,0.9",
        "",
    ]


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (812, "812"), (1000, "1.0k"), (12_499, "12.4k"), (999_999, "999.9k"), (3_100_000, "3.1M")],
)
def test_tokens_are_cut_to_a_tenth(count: int, shown: str) -> None:
    assert tokens_shown(count) == shown


@given(st.integers(0, 10**12))
def test_shown_tokens_never_promise_more_than_there_were(count: int) -> None:
    shown = tokens_shown(count)
    factor = {"k": 1000, "M": 10**6}.get(shown[-1], 1)
    assert Decimal(shown.rstrip("kM")) * factor <= count


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("3d", "2026-11-18 00:00"), ("1d", "2026-11-20 00:00"), ("1w", "2026-11-14 00:00"), ("12h", "2026-11-20 09:00"),
        ("2026-11-01", "2026-11-01 00:00"), ("2026-11-20T11:00:00Z", "2026-11-20 19:00"),
    ],
)  # fmt: skip
def test_times_that_lie_behind(text: str, local: str) -> None:
    found = since(text, NOW, SHANGHAI)
    assert found is not None
    assert f"{found.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" == local


@pytest.mark.parametrize("text", ["", "d", "0d", "3", "tomorrow", "2026-13-01", "2027-01-01", "99999w", "-3d"])
def test_what_is_no_time_that_lies_behind(text: str) -> None:
    assert since(text, NOW, SHANGHAI) is None


def test_a_span_of_days_begins_at_midnight_whatever_the_day_is_long() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = since("2d", datetime(2026, 10, 25, 12, tzinfo=UTC), berlin)
    assert found is not None
    assert found.astimezone(berlin).date() == date(2026, 10, 24)
