"""How fast, until when, and how sure: nothing is forecast on too few readings."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.g1 import G1, NOW, WORK
from tests.support.readings import FIVE_HOURS, HISTORIES, SEVEN_DAYS, samples

from perilune.core.encode import to_builtins
from perilune.core.schemas import schema_files
from perilune.quota.document import StatusDocument
from perilune.quota.forecast import confidence_of, forecast, of_cycle, share_of_short_window
from perilune.quota.samples import History, Sample

SPAN = timedelta(hours=5)


def changed(window: str, **changes: Any) -> StatusDocument:
    windows = [msgspec.structs.replace(one, **changes) if one.id == window else one for one in WORK.windows]
    return msgspec.structs.replace(G1, accounts=[msgspec.structs.replace(WORK, windows=windows), *G1.accounts[1:]])


@pytest.mark.parametrize(
    ("count", "over", "sure"),
    [
        (10, 0.10, "high"), (9, 0.10, "mid"), (10, 0.09, "mid"), (3, 0.03, "mid"), (3, 0.029, None), (2, 0.5, None),
        (0, 0.0, None), (50, 0.02, None),
    ],
)  # fmt: skip
def test_how_sure_depends_on_readings_and_on_how_much_of_the_window_they_cover(
    count: int, over: float, sure: str | None
) -> None:
    assert confidence_of(samples(count, SPAN * over, None), SPAN) == sure


def test_rates_are_of_this_cycle() -> None:
    work, ci, lab = forecast(G1, HISTORIES).accounts
    short, long = work.windows
    assert short.rate_per_hour == pytest.approx(0.695 / 2.88, abs=1e-6)
    assert (short.confidence, short.lasts, short.early_s) == ("high", False, 3082)
    assert long.rate_per_hour == pytest.approx(0.1045 / 44.613333, abs=1e-6)
    assert (long.confidence, long.lasts, long.empty_at) == ("mid", True, None)
    assert short.allowed_requests_per_hour == pytest.approx(61 / 2.12)
    assert ci.balance is not None
    assert (ci.balance.confidence, ci.balance.days_left) == ("mid", 16.0)
    assert ci.balance.empty_at == NOW - timedelta(seconds=9) + timedelta(days=16)
    assert lab.balance is not None
    assert (lab.balance.confidence, lab.balance.empty_at) == (None, None)


def test_without_readings_nothing_is_forecast() -> None:
    for account in forecast(G1, {}).accounts:
        for window in account.windows:
            assert (window.lasts, window.empty_at, window.rate_per_hour, window.confidence) == (None, None, None, None)
        assert account.balance is None or account.balance.days_left is None


def test_without_a_pace_nothing_is_forecast() -> None:
    (window, _) = forecast(changed("5h", pace=None, reliable=False), HISTORIES).accounts[0].windows
    assert (window.lasts, window.confidence, window.rate_per_hour) == (None, None, None)


def test_readings_of_another_cycle_do_not_count() -> None:
    reset = FIVE_HOURS.resets_at
    assert reset is not None
    kept = [
        *samples(5, timedelta(hours=1), reset - SPAN),
        *samples(2, timedelta(minutes=5), reset + timedelta(minutes=2)),
    ]
    assert len(of_cycle(kept, reset)) == 2
    assert of_cycle(kept, None) == []


def cycles(shares: list[tuple[str, str]]) -> tuple[list[Sample], list[Sample]]:
    """Short windows one after the other: (used in the end, taken of the long one)."""
    short: list[Sample] = []
    long: list[Sample] = []
    used_of_long = Decimal("0.1")
    start = NOW - timedelta(days=3)
    for number, (used, taken) in enumerate(shares):
        at, reset = start + SPAN * number, start + SPAN * (number + 1)
        long.append(Sample(at=at, used_ratio=used_of_long, resets_at=SEVEN_DAYS.resets_at))
        short.append(Sample(at=at + timedelta(minutes=1), used_ratio=Decimal("0.01"), resets_at=reset))
        used_of_long += Decimal(taken)
        long.append(Sample(at=at + timedelta(hours=4), used_ratio=used_of_long, resets_at=SEVEN_DAYS.resets_at))
        short.append(Sample(at=at + timedelta(hours=4), used_ratio=Decimal(used), resets_at=reset))
    return short, long


def test_a_full_short_window_takes_the_median_of_what_the_last_ones_took() -> None:
    short, long = cycles([("1.0", "0.05"), ("0.5", "0.05"), ("1.0", "0.08")])
    assert share_of_short_window(short, long, NOW) == Decimal("0.08")
    assert share_of_short_window(*cycles([("1.0", "0.05"), ("1.0", "0.06")]), NOW) is None
    little = [("1.0", "0.05"), ("0.19", "0.05"), ("1.0", "0.06"), ("0.1", "0.01")]
    assert share_of_short_window(*cycles(little), NOW) is None


def test_full_windows_left_are_told_of_the_long_window_alone() -> None:
    short, long = cycles([("1.0", "0.2"), ("1.0", "0.2"), ("1.0", "0.2")])
    told = forecast(G1, {"work": History(windows={"5h": short, "7d": long})}).accounts[0].windows
    assert [window.full_windows_left for window in told] == [None, 4.4]


def test_headroom_is_told_where_there_is_a_lot() -> None:
    pace = msgspec.structs.replace(SEVEN_DAYS.pace, expected_ratio=0.5)
    document = changed("7d", used_ratio=0.1, pace=pace)
    assert [window.headroom for window in forecast(document, {}).accounts[0].windows] == [None, 1.8]
    assert [window.headroom for window in forecast(G1, {}).accounts[0].windows] == [None, None]


def test_the_document_keeps_its_schema() -> None:
    schema = msgspec.json.decode(schema_files()["forecast.v1"].read_bytes())
    for histories in (HISTORIES, {}):
        jsonschema.validate(to_builtins(forecast(G1, histories)), schema)


@given(
    used=st.integers(1, 99),
    expected=st.integers(3, 99),
    count=st.integers(0, 20),
    minutes=st.integers(0, 300),
)
def test_what_is_told_is_told_with_a_reason(used: int, expected: int, count: int, minutes: int) -> None:
    pace = msgspec.structs.replace(FIVE_HOURS.pace, expected_ratio=expected / 100)
    document = changed("5h", used_ratio=used / 100, pace=pace)
    histories = {"work": History(windows={"5h": samples(count, timedelta(minutes=minutes), FIVE_HOURS.resets_at)})}
    window = forecast(document, histories).accounts[0].windows[0]
    assert (window.lasts is None) == (window.confidence is None)
    assert window.confidence is None or count >= 3
    assert window.readings == count
