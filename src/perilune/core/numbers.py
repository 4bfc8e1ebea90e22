"""Numbers as vendors write them: integers, decimals, or strings holding one."""

from decimal import Decimal, InvalidOperation

_LARGEST = Decimal("1e15")
_FINEST_EXPONENT = -330  # what a float can hold; a text with millions of digits is no number of a vendor


def parse_number(value: object) -> Decimal | None:
    """Read a number exactly, or None when the value is not one.

    Accepted: int, float, Decimal, or a string with one (outer spaces allowed). Not accepted: booleans, NaN, infinities,
    empty text, anything above 1e15 in size or finer than a float. A float is read by its shortest text: 0.29 is 0.29.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    text = value.strip() if isinstance(value, str) else repr(value) if isinstance(value, float) else value
    if text == "" or (isinstance(text, str) and "_" in text):
        return None
    try:
        number = Decimal(text)
    except (InvalidOperation, ValueError):
        return None
    return number if _is_sane(number) else None


def _is_sane(number: Decimal) -> bool:
    # copy_abs, because abs() rounds to the context and overflows on 1e9999999.
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= _FINEST_EXPONENT and number.copy_abs() <= _LARGEST


def parse_integer(value: object) -> int | None:
    """Read a whole number by the rules of `parse_number`, or None."""
    number = parse_number(value)
    if number is None or number != number.to_integral_value():
        return None
    return int(number)


def plain(number: Decimal, least_places: int = 0) -> str:
    """Write a decimal without exponent, with at least `least_places` fraction digits and no further trailing zeros."""
    text = format(number, "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(least_places, "0")
    text = f"{whole}.{fraction}" if fraction else whole
    return text.removeprefix("-") if Decimal(text) == 0 else text
