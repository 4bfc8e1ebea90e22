"""Forecasts over replayed days keep their floor; the habits come from fixed seeds, so that figures stay the same."""

import statistics

import pytest
from bench.history import ERROR_FLOOR, Person, long_errors, short_errors


def median(errors: list[float | None]) -> float:
    return statistics.median(error for error in errors if error is not None)


def test_five_hour_windows_run_out_about_when_even_pace_says() -> None:
    assert median([error for seed in range(3) for error in short_errors(Person(seed))]) <= ERROR_FLOOR


@pytest.mark.parametrize("weeks", [4, 9])
def test_weeks_run_out_about_when_past_weeks_say(weeks: int) -> None:
    errors = [error for seed in range(8) for error in long_errors(Person(seed), weeks, with_past=True)]
    assert median(errors) <= ERROR_FLOOR
