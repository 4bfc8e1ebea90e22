"""Readings to windows. Each reading stands beside an understood one where the case needs it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.quota.pace import pace_of
from perilune.quota.reading import of_counts, of_ratio
from perilune.quota.snapshot import Reading, Window, WindowPart
from perilune.quota.windows import derive_windows
from perilune.quota.workdays import WorkWeek

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOON = NOW + timedelta(hours=2)


def counts(limit: Any = 100, used: Any = None, remaining: Any = None, resets_at: datetime | None = SOON) -> Reading:
    reading = of_counts("5h", "limits", limit=limit, used=used, remaining=remaining, resets_at=resets_at, span_s=18_000)
    assert reading is not None
    return reading


def ratio(value: Any, window: str = "5h", origin: str = "usages", resets_at: datetime | None = SOON) -> Reading:
    reading = of_ratio(window, origin, ratio=value, resets_at=resets_at, span_s=18_000)
    assert reading is not None
    return reading


def one(*readings: Reading) -> Window:
    (window,) = derive_windows(readings, NOW)
    return window


@pytest.mark.case("accounts 5.1", "accounts 5.2", "accounts 5.4")
@pytest.mark.parametrize(
    ("limit", "used", "remaining"), [(100, "invalid", 75), (20, None, 15), (100, -1, 75), ("100", "", "75")]
)
def test_what_remains_tells_what_is_used(limit: Any, used: Any, remaining: Any) -> None:
    assert one(counts(limit, used, remaining)).used_ratio == Decimal("0.25")


@pytest.mark.case("accounts 5.3")
def test_over_use_is_kept() -> None:
    window = one(counts(100, 125, 25))
    assert (window.used_ratio, window.remaining) == (Decimal("1.25"), 0)


@pytest.mark.case("accounts 5.5", "accounts 5.6")
@pytest.mark.parametrize("remaining", [-1, 101, "invalid", None])
def test_a_limit_without_use_is_a_window_of_unknown_use(remaining: Any) -> None:
    window = one(counts(100, None, remaining))
    assert (window.used_ratio, window.used, window.remaining, window.is_reliable) == (None, None, None, False)
    assert pace_of(window, NOW, WorkWeek()) is None


@pytest.mark.case("accounts 5.7")
@pytest.mark.parametrize(("used", "ratio_"), [(0, 0), (2048, 1)])
def test_nothing_and_everything_are_known(used: int, ratio_: int) -> None:
    window = one(counts(2048, used))
    assert (window.used_ratio, window.is_reliable) == (ratio_, True)


@pytest.mark.parametrize("limit", [None, 0, -5, "many", True, float("nan")])
def test_without_a_limit_there_is_no_reading(limit: Any) -> None:
    assert of_counts("5h", "limits", limit=limit, used=1, remaining=1, resets_at=SOON) is None


@pytest.mark.case("accounts 5.9")
def test_the_more_used_of_two_readings_counts() -> None:
    window = one(ratio(0), counts(100, 47))
    assert (window.used_ratio, window.has_conflict, window.unit) == (Decimal("0.47"), True, "percent")
    assert [reading.origin for reading in window.readings] == ["usages", "limits"]


@pytest.mark.case("accounts 5.10")
def test_a_known_zero_beats_an_unknown_use() -> None:
    window = one(counts(100), ratio(0, origin="web-stats"))
    assert (window.used_ratio, window.is_reliable, window.has_conflict) == (0, True, False)


@pytest.mark.case("accounts 5.11")
def test_of_two_resets_with_equal_use_the_later_counts() -> None:
    window = one(counts(100, 50), ratio("0.5", resets_at=SOON + timedelta(hours=2)))
    assert (window.resets_at, window.has_conflict) == (SOON + timedelta(hours=2), True)


@pytest.mark.case("accounts 5.12")
def test_a_reading_of_a_past_cycle_gives_way() -> None:
    window = one(counts(100, 90, resets_at=NOW - timedelta(minutes=10)), ratio("0.02"))
    assert (window.used_ratio, window.has_conflict) == (Decimal("0.02"), False)


@pytest.mark.case("accounts 5.13")
def test_a_past_cycle_alone_is_of_unknown_use() -> None:
    window = one(counts(100, 90, resets_at=NOW - timedelta(minutes=10)))
    assert (window.used_ratio, window.resets_at, window.is_reliable) == (None, None, False)


def test_a_reset_that_the_chosen_reading_lacks_comes_from_another() -> None:
    assert one(counts(100, 50, resets_at=None), ratio("0.4")).resets_at == SOON


def test_requests_that_agree_with_a_ratio_are_shown() -> None:
    window = one(ratio("0.205"), counts(200, 40))
    assert (window.used_ratio, window.used, window.limit, window.unit) == (Decimal("0.205"), 40, 200, "requests")


def test_percent_points_do_not_stand_in_for_a_ratio() -> None:
    assert one(ratio("0.183"), counts(100, 18)).unit == "ratio"


@pytest.mark.case("accounts 5.17")
def test_a_share_of_the_month_is_never_added() -> None:
    reading = of_ratio("month", "usages", ratio="0.40", resets_at=SOON)
    assert reading is not None
    (month,) = derive_windows([reading], NOW, {"month": (WindowPart("code", Decimal("0.25")),)})
    assert month.used_ratio == Decimal("0.40")
    assert month.parts == (WindowPart("code", Decimal("0.25")),)


known_ratios = st.decimals(min_value=0, max_value=2, places=4)
readings = st.lists(
    st.one_of(
        st.builds(lambda used: counts(200, used), st.integers(0, 400)),
        st.builds(ratio, known_ratios),
        st.just(counts(200)),
    ),
    min_size=1,
    max_size=6,
)


@given(readings)
def test_no_figure_is_invented(given_readings: list[Reading]) -> None:
    window = one(*given_readings)
    known = [reading.used_ratio for reading in given_readings if reading.used_ratio is not None]
    assert window.used_ratio == (max(known) if known else None)
    assert window.is_reliable is bool(known)
    sources = [(r.used, r.limit, r.remaining, r.unit) for r in given_readings]
    assert (window.used, window.limit, window.remaining, window.unit) in sources
