from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.numbers import parse_integer, parse_number, plain


@pytest.mark.parametrize(
    ("value", "number"), [(5, "5"), (0.29, "0.29"), (" 18.42731 ", "18.42731"), (Decimal("1e-5"), "0.00001")]
)
def test_a_number_is_read_exactly(value: object, number: str) -> None:
    assert parse_number(value) == Decimal(number)


@pytest.mark.parametrize(
    "value", [True, None, "", " ", "NaN", "Infinity", float("inf"), "1e309", 1e16, "1_000", [], "abc"]
)
def test_what_is_not_a_number_is_none(value: object) -> None:
    assert parse_number(value) is None


def test_an_integer_has_no_fraction() -> None:
    assert parse_integer("30") == 30
    assert parse_integer(30.5) is None


@pytest.mark.parametrize(
    ("number", "text"), [("1e-05", "0.00001"), ("5", "5.00"), ("49.58894", "49.58894"), ("-0.00", "0.00")]
)
def test_plain_notation(number: str, text: str) -> None:
    assert plain(Decimal(number), least_places=2) == text


@pytest.mark.parametrize("value", ["1e9999999", "-1e9999999", "1e-9999999", "0." + "3" * 5000, 10**400, 1e15 * 10])
def test_numbers_of_absurd_size_or_fineness_are_none(value: object) -> None:
    assert parse_number(value) is None


@given(st.text(max_size=30) | st.floats() | st.integers())
def test_reading_a_number_never_fails_and_writing_it_is_exact(value: object) -> None:
    number = parse_number(value)
    assert number is None or Decimal(plain(number)) == number
