"""Cycles of a window, told from kept readings alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from perilune.quota.cycles import cycles, rises
from perilune.quota.samples import Sample

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SPAN = timedelta(hours=5)


def read(minutes: float, used: str | None, reset_in: float | None, limit: int | None = None) -> Sample:
    """A reading so many minutes after noon, with its reset so many minutes after noon."""
    return Sample(
        at=NOW + timedelta(minutes=minutes),
        used_ratio=None if used is None else Decimal(used),
        resets_at=None if reset_in is None else NOW + timedelta(minutes=reset_in),
        limit=None if limit is None else Decimal(limit),
    )


def used(*samples: Sample) -> list[str]:
    return [str(rise) for _, rise in rises(samples)]


def test_a_later_reset_with_lower_use_begins_a_cycle() -> None:
    found = cycles([read(0, "0.4", 60), read(10, "0.7", 60), read(20, "0.1", 320), read(30, "0.2", 320)])
    assert [(one.begun_by, one.peak, len(one.samples)) for one in found] == [
        ("unknown", Decimal("0.7"), 2), ("reset", Decimal("0.2"), 2),
    ]  # fmt: skip
    assert [one.is_confirmed for one in found] == [True, True]


def test_one_reading_of_a_new_cycle_only_infers_it() -> None:
    assert [one.is_confirmed for one in cycles([read(0, "0.4", 60), read(70, "0.1", 360)])] == [True, False]


def test_a_passed_reset_begins_a_cycle_even_when_more_is_used_than_before() -> None:
    found = cycles([read(0, "0.1", 60), read(90, "0.5", 360)])
    assert [one.begun_by for one in found] == ["unknown", "reset"]
    assert used(read(0, "0.1", 60), read(90, "0.5", 360)) == ["0.5"]


def test_a_reset_that_creeps_or_lags_begins_nothing() -> None:
    assert len(cycles([read(0, "0.1", 60), read(5, "0.2", 61), read(10, "0.3", 75), read(20, "0.2", 75)])) == 1
    assert len(cycles([read(0, "0.8", 60), read(61, "0.8", 60)])) == 1


def test_a_reset_that_is_left_out_is_filled_from_the_reading_before() -> None:
    found = cycles([read(0, "0.3", 60), read(5, "0.4", None), read(10, "0.5", None)])
    assert [(one.resets_at, len(one.samples)) for one in found] == [(NOW + timedelta(minutes=60), 3)]


def test_an_idle_window_without_a_reset_waits_for_the_next_request() -> None:
    found = cycles([read(0, "0.9", 60), read(70, "0", None), read(100, "0.1", 390), read(400, "0", None)])
    assert [one.peak for one in found] == [Decimal("0.9"), Decimal("0.1"), Decimal(0)]


def test_another_limit_with_lower_use_is_another_plan() -> None:
    samples = [read(0, "0.5", 600, 200), read(10, "0.1", 600, 1000), read(20, "0.2", 600, 1000)]
    assert [one.begun_by for one in cycles(samples)] == ["unknown", "plan"]


def test_use_is_counted_once_although_a_reading_lags_behind() -> None:
    assert used(read(0, "0.1", 60), read(5, "0.5", 60), read(10, "0.2", 60), read(15, "0.6", 60)) == ["0.4", "0.1"]
    assert used(read(0, "0.4", 60)) == []


def test_when_a_window_was_first_read_as_spent() -> None:
    (one,) = cycles([read(0, "0.4", 60), read(5, "1.0", 60), read(10, "1.1", 60)])
    assert one.spent_at == NOW + timedelta(minutes=5)


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 60), st.booleans(), st.booleans()), min_size=1, max_size=60)
)
def test_no_reading_is_lost_and_no_use_invented_whatever_is_left_out(
    steps: list[tuple[int, int, bool, bool]],
) -> None:
    samples: list[Sample] = []
    at, reset, use = 0, 300, 0
    really_used = 0
    for minutes, more, has_reset, lags in steps:
        at += minutes
        while reset <= at:
            reset, use = reset + 300, 0
        use += more
        really_used += more
        shown = max(use - 30, 0) if lags else use  # the vendor's views lag behind each other
        samples.append(read(at, str(Decimal(shown) / 100), reset if has_reset else None))
    found = cycles(samples)
    assert [sample for one in found for sample in one.samples] == samples
    assert found[-1].samples[-1] == samples[-1]
    assert sum(rise for _, rise in rises(samples)) <= Decimal(really_used) / 100
    for one in found:
        total = sum(rise for _, rise in one.rises())
        assert total <= (one.peak or 0)
        assert all(rise > 0 for _, rise in one.rises())
    assert all(one.samples[-1].at < other.samples[0].at for one, other in pairwise(found))
