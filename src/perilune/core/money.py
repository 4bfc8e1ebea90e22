"""Money: an exact amount of one currency. Never converted, never added across currencies."""

from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from perilune.core.numbers import plain

_CENT = Decimal("0.01")
_SYMBOLS = {"CNY": "¥", "USD": "$"}


class Money(Struct, frozen=True, order=False):
    """An amount of one currency.

    Shape: in JSON `{"amount": "49.58894", "currency": "CNY"}`, the amount plain with two or more fraction digits.
    """

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        self._demand_same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._demand_same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._demand_same_currency(other)
        return self.amount < other.amount

    def _demand_same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def amount_text(self) -> str:
        """The exact amount: plain notation, at least two fraction digits, no `-0`."""
        return plain(self.amount, least_places=2)

    def shown(self, *, with_code: bool = False) -> str:
        """The amount for people: two decimals, half-even; `¥49.59`, or `CNY 49.59` with the code.

        An amount that rounds to zero has no minus.
        """
        rounded = self.amount.quantize(_CENT, ROUND_HALF_EVEN)
        sign = "-" if rounded < 0 else ""
        digits = format(abs(rounded), "f")
        symbol = _SYMBOLS.get(self.currency)
        if with_code or symbol is None:
            return f"{self.currency} {sign}{digits}"
        return f"{sign}{symbol}{digits}"


class MoneyDocument(Struct, frozen=True):
    """Money as it stands in our JSON documents."""

    amount: str
    currency: str

    @classmethod
    def of(cls, money: Money | None) -> "MoneyDocument | None":
        return None if money is None else cls(money.amount_text(), money.currency)
