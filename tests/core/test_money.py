from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.encode import encode_document
from perilune.core.money import Money, MoneyDocument
from perilune.core.numbers import parse_number

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=5)


def cny(text: str) -> Money:
    return Money(Decimal(text), "CNY")


@pytest.mark.case("experience N18")
def test_people_see_two_decimals_and_documents_the_exact_amount() -> None:
    available = Money(parse_number("49.58894") or Decimal(0), "CNY")
    assert available.shown() == "¥49.59"
    assert encode_document(MoneyDocument.of(available)) == b'{"amount":"49.58894","currency":"CNY"}'


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("18.42731", "$18.43"),
        ("-1.2", "-$1.20"),
        ("-0.004", "$0.00"),
        ("0.125", "$0.12"),
        ("0.135", "$0.14"),
        ("1000", "$1000.00"),
    ],
)
def test_dollars_for_people(amount: str, shown: str) -> None:
    assert Money(Decimal(amount), "USD").shown() == shown


def test_the_code_replaces_the_symbol() -> None:
    assert cny("49.58894").shown(with_code=True) == "CNY 49.59"
    assert Money(Decimal(3), "EUR").shown() == "EUR 3.00"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("49.58894", "49.58894"),
        ("5.0", "5.00"),
        ("1e-05", "0.00001"),
        ("0E+3", "0.00"),
        ("-0.000", "0.00"),
        ("1E+3", "1000.00"),
    ],
)
def test_the_exact_amount_in_plain_notation(amount: str, text: str) -> None:
    assert cny(amount).amount_text() == text


def test_currencies_do_not_mix() -> None:
    yuan, dollars = cny("1"), Money(Decimal(1), "USD")
    for mix in (lambda: yuan + dollars, lambda: yuan - dollars, lambda: yuan < dollars):
        with pytest.raises(ValueError, match="do not mix"):
            mix()


def test_equal_amounts_are_equal_however_written() -> None:
    assert cny("5.0") == cny("5.00")
    assert hash(cny("5.0")) == hash(cny("5.00"))
    assert cny("5") != Money(Decimal(5), "USD")


@given(AMOUNTS, AMOUNTS)
def test_sums_are_exact(one: Decimal, other: Decimal) -> None:
    both = Money(one, "CNY") + Money(other, "CNY")
    assert both - Money(other, "CNY") == Money(one, "CNY")


@given(AMOUNTS)
def test_the_printed_amount_reads_back_exactly(amount: Decimal) -> None:
    assert Decimal(Money(amount, "CNY").amount_text()) == amount
    assert abs(Decimal(Money(amount, "EUR").shown().removeprefix("EUR ")) - amount) <= Decimal("0.005")


def test_no_money_is_no_document() -> None:
    assert MoneyDocument.of(None) is None
