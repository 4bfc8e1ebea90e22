"""Days and hours of a zone, whatever it does to its clocks."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from perilune.quota.buckets import SIZES, Segment, Size, segments, start_of, start_of_number, starts
from perilune.quota.rhythm import rhythm

ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def number_of(at: datetime, segment: Segment, size: Size) -> int:
    """As the database counts: whole days or hours of local time since 1970."""
    return (at - EPOCH + segment.offset) // SIZES[size]


def test_a_day_of_25_hours_is_one_day() -> None:
    start, end = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, 12, tzinfo=UTC)
    found = starts(start, end, BERLIN, "day")
    assert [other - one for one, other in pairwise(found)] == [timedelta(hours=24), timedelta(hours=25)]
    assert [one.end for one in segments(start, end, BERLIN)] == [datetime(2026, 10, 25, 1, tzinfo=UTC), end]


@given(
    st.sampled_from(ZONES), st.sampled_from(["day", "hour"]), st.integers(0, 5_000), st.integers(1, 24 * 40),
    st.floats(0, 1),
)  # fmt: skip
def test_every_moment_falls_into_the_row_that_begins_before_it(
    name: str, size: Size, offset_h: int, hours: int, part: float
) -> None:
    zone = ZoneInfo(name)
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=offset_h)
    end = start + timedelta(hours=hours)
    at = start + (end - start) * part * 0.999
    rows = starts(start, end, zone, size)
    assert all(one < other for one, other in pairwise(rows))
    (segment,) = [one for one in segments(start, end, zone) if one.start <= at < one.end]
    begin = start_of_number(number_of(at, segment, size), segment, zone, size)
    assert begin in rows
    assert begin <= at
    assert begin == start_of(at, zone, size) or size == "hour"
    following = next((one for one in rows if one > begin), None)
    assert following is None or at < following + timedelta(minutes=30)


def test_the_rhythm_is_the_mean_of_each_hour_of_the_week() -> None:
    monday = datetime(2026, 11, 2, tzinfo=UTC)
    rises = [(monday + timedelta(days=7 * week, hours=9, minutes=30), Decimal("0.2")) for week in (0, 1)]
    found = rhythm(rises, monday, monday + timedelta(days=14), UTC)
    assert found[0][9] == 0.2
    assert found[0][10] == 0
    half = rhythm(rises[:1], monday, monday + timedelta(days=7, hours=12), UTC)
    assert (half[0][9], half[6][23]) == (0.1, 0)
    assert rhythm([], monday, monday + timedelta(hours=3), UTC)[3][0] is None
