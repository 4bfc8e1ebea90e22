"""What past weeks say about this one."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.quota.curves import HOURS, Curve, Mark, curves_of, expected_at, run_out, trust, weighted_median
from perilune.quota.pace import Pace, pace_of
from perilune.quota.snapshot import Window
from perilune.quota.workdays import WorkWeek

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
RESET = NOW + timedelta(days=3, hours=12)  # half of the week has passed
EVEN = [hour / HOURS for hour in range(HOURS + 1)]
DAYS_OF_WEEKS = st.lists(st.lists(st.floats(0, 0.05), min_size=7, max_size=7), min_size=3, max_size=6)
Shape = Callable[[float], float]


def late(share: float) -> float:
    """Nothing in the first half, everything in the second."""
    return max(share - 0.5, 0.0) * 2


def week(number: int, shape: Shape, every: timedelta = timedelta(hours=6), full: float = 0.8) -> list[Mark]:
    """The readings of a past week, 1 being the one that ended last."""
    end = RESET - WEEK * number
    start = end - WEEK
    count = int(WEEK / every)
    return [((start + every * n).timestamp(), full * shape(n / count), end.timestamp(), None) for n in range(1, count)]


def weeks(count: int, shape: Shape = late, full: float = 0.8) -> list[Mark]:
    return [sample for number in range(count, 0, -1) for sample in week(number, shape, full=full)]


def pace(past: Sequence[Mark], used: str, days: WorkWeek | None = None) -> Pace:
    window = Window(id="7d", label="7-day", span_s=604_800, used_ratio=Decimal(used), resets_at=RESET)
    found = pace_of(window, NOW, days or WorkWeek(), lambda window: past)
    assert found is not None
    return found


@pytest.mark.case("accounts 8.10")
def test_two_weeks_are_too_few_and_three_are_trusted_a_little() -> None:
    two, three = pace(weeks(2), "0.3"), pace(weeks(3), "0.3")
    assert (two.method, two.expected_ratio) == ("linear", Decimal("0.5"))
    assert three.method == "history"
    curves = curves_of(weeks(3), RESET.timestamp())
    weights = [curve.weight for curve in curves]
    effective = sum(weights) ** 2 / sum(weight**2 for weight in weights)
    assert effective == pytest.approx(2.7984, abs=1e-3)
    assert trust(curves) == pytest.approx((effective - 2) / 6)
    assert float(three.expected_ratio) == pytest.approx((1 - trust(curves)) * 0.5, abs=0.01)


def test_the_more_weeks_the_more_they_count() -> None:
    shares = [trust(curves_of(weeks(count), RESET.timestamp())) for count in range(1, 9)]
    assert shares[:2] == [0, 0]
    assert all(one < other for one, other in pairwise(shares[1:]))
    assert shares[-1] < 1


def test_a_week_counts_only_with_six_readings_and_both_its_ends() -> None:
    assert len(curves_of(week(1, late, timedelta(days=1)), RESET.timestamp())) == 1
    assert curves_of(week(1, late)[::6][:5], RESET.timestamp()) == []
    assert curves_of(week(1, late)[6:], RESET.timestamp()) == []
    assert curves_of(week(1, late)[:-6], RESET.timestamp()) == []


def test_weeks_of_two_months_ago_are_forgotten() -> None:
    assert len(curves_of(weeks(12), RESET.timestamp())) == 8


def test_somebody_who_works_late_in_the_week_runs_out_although_even_pace_says_otherwise() -> None:
    past = weeks(6, late, full=0.95)
    calm, busy = pace(past, "0.02"), pace(past, "0.2")
    assert (calm.lasts, busy.lasts) == (True, False)
    assert busy.empty_at is not None
    assert RESET - timedelta(days=1) < busy.empty_at < RESET
    assert pace(weeks(2), "0.2").lasts


def test_the_probability_is_told_from_five_weeks_on() -> None:
    assert pace(weeks(4), "0.3").probability is None
    got = pace(weeks(5), "0.9").probability
    assert got is not None
    assert Decimal("0.5") < got < 1


def test_below_five_weeks_even_pace_says_when_it_runs_out() -> None:
    early = weeks(4, lambda share: min(share * 2, 1.0))
    few, none = pace(early, "0.7"), pace((), "0.7")
    assert (few.method, few.lasts, few.empty_at) == ("history", False, none.empty_at)
    assert pace(weeks(4, full=0.95), "0.2").lasts


def test_a_quiet_end_of_the_week_lasts_although_even_pace_runs_out() -> None:
    got = pace(weeks(6, lambda share: min(share * 2, 1.0)), "0.7")
    assert (got.lasts, got.empty_at) == (True, None)
    assert not pace(weeks(2), "0.7").lasts


def test_work_days_stay_the_even_pace_that_history_corrects() -> None:
    got = pace(weeks(3), "0.3", WorkWeek(frozenset({1, 2, 3, 4, 5})))
    assert got.method == "history"


@given(DAYS_OF_WEEKS, st.data())
def test_the_expectation_never_falls_and_never_exceeds_even_pace(
    weeks_used: list[list[float]], data: st.DataObject
) -> None:
    curves = [_curve(one, 0.9**number) for number, one in enumerate(weeks_used)]
    hours = sorted(data.draw(st.lists(st.floats(0, HOURS), min_size=2, max_size=5)))
    expected = [expected_at(curves, hour, EVEN) for hour in hours]
    assert all(one <= other + 1e-12 for one, other in pairwise(expected))
    assert all(-1e-12 <= one <= hour / HOURS + 1e-9 for one, hour in zip(expected, hours, strict=True))


@given(
    DAYS_OF_WEEKS,
    st.floats(5, HOURS - 1),
    st.floats(0, 0.999),
)
def test_a_run_out_lies_ahead_and_its_probability_between_nothing_and_one(
    weeks_used: list[list[float]], hour: float, used: float
) -> None:
    out = run_out([_curve(one, 1.0) for one in weeks_used], hour, used)
    assert 0 < out.probability < 1
    assert out.hour is None or hour <= out.hour <= HOURS


def test_the_median_is_where_half_of_the_weight_lies() -> None:
    assert weighted_median([(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)]) == 2
    assert weighted_median([(1.0, 0.2), (9.0, 1.0)]) == 9


def _curve(days: list[float], weight: float) -> Curve:
    """A week that uses so much in each hour of each of its days."""
    points = [0.0]
    for hour in range(HOURS):
        points.append(points[-1] + days[hour // 24])
    return Curve(tuple(points), weight)
