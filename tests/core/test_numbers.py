from decimal import Decimal

import pytest

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
