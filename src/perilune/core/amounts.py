"""Amounts that limits are written in: money, tokens or requests, per day, week, month, or in all."""

import re
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from perilune.core.money import Money
from perilune.core.numbers import parse_number

NANO = 1_000_000_000
Per = Literal["day", "week", "month", "total"]
CURRENCIES = ("USD", "CNY")
_WORDS = {"tokens": "tokens", "token": "tokens", "requests": "requests", "request": "requests", "req": "requests"}
_PERIODS: dict[str, Per] = {"day": "day", "d": "day", "week": "week", "w": "week", "month": "month", "total": "total"}
_SCALES = {"k": 1000, "m": 1_000_000}
_AMOUNT = re.compile(
    r"(?P<before>[a-z]{3})? ?(?P<number>[0-9][0-9_]{0,20}(?:\.[0-9]{1,12})?)(?P<scale>[km])? ?(?P<after>[a-z]+)?"
)


class Amount(Struct, frozen=True):
    """How much. `unit` is a currency, `tokens` or `requests`; `value` billionths of a currency, else a count."""

    unit: str
    value: int

    def shown(self) -> str:
        """As people write it."""
        if self.unit in CURRENCIES:
            return Money(Decimal(self.value) / NANO, self.unit).shown(with_code=True)
        return f"{self.value:,} {self.unit}"

    def document(self) -> dict[str, str | int]:
        """As our JSON documents carry it: money as everywhere, anything else with its unit."""
        if self.unit in CURRENCIES:
            return {"amount": Money(Decimal(self.value) / NANO, self.unit).amount_text(), "currency": self.unit}
        return {"amount": self.value, "unit": self.unit}

    def left_after(self, used: int) -> "Amount":
        """What is left of it."""
        return Amount(self.unit, max(self.value - used, 0))


def parse_amount(text: str) -> Amount | None:
    """`CNY 10`, `10 USD`, `200k tokens`, `50 requests`; None for anything else."""
    found = _AMOUNT.fullmatch(" ".join(text.lower().split()))
    number = None if found is None else parse_number(found["number"].replace("_", ""))
    if found is None or number is None or number <= 0:
        return None
    number *= _SCALES.get(found["scale"] or "", 1)
    word = found["before"] or found["after"] or ""
    if word.upper() in CURRENCIES and not (found["before"] and found["after"]):
        return Amount(word.upper(), int(number * NANO))
    unit = None if found["before"] else _WORDS.get(word)
    return None if unit is None or number != number.to_integral_value() else Amount(unit, int(number))


def parse_limit(text: str, currency: str | None = None) -> tuple[Amount, Per] | None:
    """An amount per period: `CNY 50/day`, `50/day` where the currency is known; a month where none is named."""
    amount_text, slash, period = text.partition("/")
    if currency is not None and parse_number(amount_text.strip()) is not None:
        amount_text = f"{currency} {amount_text}"
    amount = parse_amount(amount_text)
    per = _PERIODS.get(period.strip().lower()) if slash else "month"
    return None if amount is None or per is None else (amount, per)
