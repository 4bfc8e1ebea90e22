from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.quota.calendar import month_before, month_span_s
from perilune.quota.document import Stage
from perilune.quota.pace import Pace, pace_of, stage_of
from perilune.quota.snapshot import Window
from perilune.quota.workdays import WorkWeek

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVERY_DAY = WorkWeek()
FIVE_H, WEEK = 18_000, 604_800


def window(used: str, left: timedelta, span_s: int = FIVE_H, at: datetime = NOW) -> Window:
    return Window(id="w", label="w", span_s=span_s, used_ratio=Decimal(used), resets_at=at + left)


def pace(used: str, left: timedelta, span_s: int = FIVE_H) -> Pace | None:
    return pace_of(window(used, left, span_s), NOW, EVERY_DAY)


@pytest.mark.case("accounts 8.1")
def test_ahead_of_pace_and_empty_too_early() -> None:
    got = pace("0.695", timedelta(hours=2, minutes=7))
    assert got is not None
    assert round(got.expected_ratio, 4) == Decimal("0.5767")
    assert (got.stage, got.lasts, got.method) == ("ahead", False, "linear")
    assert got.empty_at is not None
    assert got.empty_at.replace(microsecond=0) == datetime(2026, 11, 20, 13, 15, 55, tzinfo=UTC)


@pytest.mark.case("accounts 8.2")
@pytest.mark.parametrize(
    ("used", "expected", "span_s", "stage"), [("0.30", 0.43, WEEK, "far-behind"), ("0.10", 0.20, FIVE_H, "behind")]
)
def test_behind_pace_lasts(used: str, expected: float, span_s: int, stage: Stage) -> None:
    got = pace(used, timedelta(seconds=span_s * (1 - expected)), span_s)
    assert got is not None
    assert (got.stage, got.lasts, got.empty_at) == (stage, True, None)


@pytest.mark.case("accounts 8.3")
@pytest.mark.parametrize(
    ("points", "stage"),
    [
        ("2.0", "on-track"),
        ("2.1", "slightly-ahead"),
        ("6.0", "slightly-ahead"),
        ("6.1", "ahead"),
        ("12.0", "ahead"),
        ("12.1", "far-ahead"),
        ("-2.0", "on-track"),
        ("-6.1", "behind"),
        ("-12.1", "far-behind"),
    ],
)
def test_stages(points: str, stage: Stage) -> None:
    assert stage_of(Decimal(points) / 100) == stage


@pytest.mark.case("accounts 8.4")
def test_pace_begins_at_three_percent() -> None:
    assert pace("0.5", timedelta(seconds=FIVE_H * (1 - 0.029))) is None
    assert pace("0.5", timedelta(seconds=FIVE_H * (1 - 0.031))) is not None


@pytest.mark.case("accounts 8.5")
def test_a_full_window_has_no_pace() -> None:
    assert pace("1.0", timedelta(hours=2)) is None


@pytest.mark.case("accounts 8.6")
def test_an_unused_window_lasts() -> None:
    got = pace("0", timedelta(hours=2.5))
    assert got is not None
    assert (got.stage, got.lasts, got.empty_at) == ("far-behind", True, None)


@pytest.mark.case("accounts 8.7")
def test_on_work_days_only_their_time_counts() -> None:
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    whole = Window(id="7d", label="7-day", span_s=WEEK, used_ratio=Decimal("0.9"), resets_at=monday + timedelta(days=7))
    got = pace_of(whole, saturday, WorkWeek(frozenset({1, 2, 3, 4, 5})))
    assert got is not None
    assert (got.expected_ratio, got.stage, got.lasts, got.method) == (1, "behind", True, "work-days")


def test_a_work_days_run_out_skips_the_weekend() -> None:
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    whole = Window(id="7d", label="7-day", span_s=WEEK, used_ratio=Decimal("0.8"), resets_at=monday + timedelta(days=7))
    got = pace_of(whole, monday + timedelta(days=2), WorkWeek(frozenset({1, 2, 6})))
    assert got is not None
    assert got.empty_at == monday + timedelta(days=5, hours=12)


def test_days_of_23_and_25_hours_are_counted_right() -> None:
    berlin = WorkWeek(frozenset({7}), ZoneInfo("Europe/Berlin"))
    autumn = datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    spring = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    assert berlin.work_between(autumn - timedelta(days=1), autumn + timedelta(days=2)) == timedelta(hours=25)
    assert berlin.work_between(spring - timedelta(days=1), spring + timedelta(days=2)) == timedelta(hours=23)


@pytest.mark.case("accounts 8.8")
def test_the_month_runs_from_the_same_day_of_the_month_before() -> None:
    reset, now = datetime(2026, 12, 14, 9, tzinfo=UTC), datetime(2026, 11, 29, 9, tzinfo=UTC)
    assert month_before(reset) == datetime(2026, 11, 14, 9, tzinfo=UTC)
    span_s = month_span_s(reset, now)
    month = Window(id="month", label="Month", span_s=span_s, used_ratio=Decimal("0.6"), resets_at=reset)
    got = pace_of(month, now, EVERY_DAY)
    assert got is not None
    assert (got.expected_ratio, got.stage) == (Decimal("0.5"), "ahead")


def test_a_month_is_clamped_to_its_last_day() -> None:
    assert month_before(datetime(2027, 3, 31, tzinfo=UTC)) == datetime(2027, 2, 28, tzinfo=UTC)
    assert month_before(datetime(2027, 1, 5, tzinfo=UTC)) == datetime(2026, 12, 5, tzinfo=UTC)


@pytest.mark.case("accounts 8.9")
def test_a_far_reset_is_no_month() -> None:
    assert month_span_s(NOW + timedelta(days=300), NOW) is None


@given(st.integers(1, 99), st.integers(1, 17_999))
def test_a_window_that_runs_out_does_so_before_its_reset(percent: int, left_s: int) -> None:
    full = window(f"0.{percent:02d}", timedelta(seconds=left_s))
    got = pace_of(full, NOW, EVERY_DAY)
    if got is None:
        return
    assert 0 < got.expected_ratio <= 1
    assert (got.empty_at is None) is got.lasts
    assert got.empty_at is None or (full.resets_at is not None and NOW < got.empty_at < full.resets_at)
