from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.instants import from_epoch, parse_instant, to_rfc3339, whole_second

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis takes naive bounds)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T12:00:00Z",
        "2026-11-20t12:00:00z",
        "2026-11-20 12:00:00",
        " 2026-11-20T12:00:00.000000000Z ",
        "2026-11-20T20:00:00+08:00",
        "2026-11-20T20:00:00+0800",
        "2026-11-20T06:30:00-05:30",
        "2026-11-20T12:00:00",
    ],
)
def test_a_time_is_read_as_vendors_write_it(text: str) -> None:
    assert parse_instant(text) == NOON


@pytest.mark.parametrize(
    "value", [1795176000, 1795176000.0, "1795176000", 1795176000000, "1795176000000", Decimal(1795176000)]
)
def test_an_epoch_in_seconds_or_milliseconds_is_the_same_instant(value: object) -> None:
    assert parse_instant(value) == NOON


def test_nine_fraction_digits_keep_the_first_six() -> None:
    assert parse_instant("2026-11-20T12:00:00.123456789Z") == NOON.replace(microsecond=123456)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        "soon",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-20",
        "2026-11-20T25:00:00Z",
        -5,
        "NaN",
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert parse_instant(value) is None


def test_times_beyond_the_calendar_are_none() -> None:
    assert parse_instant("0001-01-01T00:00:00+23:00") is None
    assert from_epoch(Decimal(-1)) is None
    assert from_epoch(Decimal(999999999999999)) is None


def test_a_datetime_becomes_utc() -> None:
    assert parse_instant(datetime(2026, 11, 20, 20, tzinfo=timezone(timedelta(hours=8)))) == NOON
    assert parse_instant(datetime(2026, 11, 20, 12)) == NOON  # noqa: DTZ001 (a naive one is the input)


@given(INSTANTS)
def test_what_is_printed_reads_back_within_half_a_second(at: datetime) -> None:
    back = parse_instant(to_rfc3339(at))
    assert back is not None
    assert abs(back - at) <= timedelta(milliseconds=500)
    assert back == whole_second(at)


@given(INSTANTS)
def test_an_epoch_reads_back_to_the_microsecond(at: datetime) -> None:
    microseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if microseconds < 10**18:
        assert from_epoch(Decimal(microseconds) / 1_000_000) == at


@given(st.text(max_size=40))
def test_no_text_makes_reading_a_time_fail(text: str) -> None:
    at = parse_instant(text)
    assert at is None or at.tzinfo is UTC


def test_half_a_second_rounds_up() -> None:
    assert to_rfc3339(NOON + timedelta(milliseconds=500)) == "2026-11-20T12:00:01Z"
    assert to_rfc3339(NOON + timedelta(milliseconds=499)) == "2026-11-20T12:00:00Z"
    assert whole_second(None) is None
