"""What a request cost: by the price of its day, in its account's currency; plan quota is not money."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from perilune.catalog.load import Catalogue
from perilune.catalog.plan import Plan
from perilune.catalog.prices import Price, Tokens, cost
from perilune.core.numbers import plain
from perilune.dialects.usage import Usage
from perilune.gateway.record import AttemptRecord, RequestRecord

_CURRENCIES = ("USD", "CNY")
_MOST_KNOWN = 1000
_PER_PLACES = 6  # prices are for a million tokens


class Charge(Struct, frozen=True, kw_only=True):
    """The cost of one request. `amount` is None for plan quota, for unknown use, and where there is no price.

    Shape: `label` names the price that the cost was counted with.
    """

    unit: Literal["money", "quota"] | None = None
    amount: Decimal | None = None
    currency: str | None = None
    label: str | None = None


class Rate:
    """A price of the day with its exact arithmetic in whole numbers. `price` None is no price."""

    __slots__ = ("_hit", "_miss", "_output", "_places", "_write", "currency", "label", "price")

    def __init__(self, price: Price | None, currency: str | None) -> None:
        self.price = price
        self.currency = currency
        self.label = None if price is None else price.label()
        if price is None:
            return
        hit = price.input_miss if price.input_hit is None else price.input_hit
        write = price.input_miss if price.cache_write_5m is None else price.cache_write_5m
        each = (hit, price.input_miss, price.output, write)
        places = max(max(-int(amount.as_tuple().exponent), 0) for amount in each)
        self._hit, self._miss, self._output, self._write = (int(amount.scaleb(places)) for amount in each)
        self._places = places + _PER_PLACES

    def amount(self, usage: Usage | None) -> Decimal | None:
        """What the tokens cost, exactly; None without a price, or without known tokens."""
        units = self._units(usage)
        return None if units is None else Decimal(units).scaleb(-self._places)

    def amount_text(self, usage: Usage | None) -> str | None:
        """The same as a table keeps it."""
        units = self._units(usage)
        if units is None:
            return None
        digits = str(units).rjust(self._places + 1, "0")
        fraction = digits[-self._places :].rstrip("0")
        return f"{digits[: -self._places]}.{fraction}" if fraction else digits[: -self._places]

    def _units(self, usage: Usage | None) -> int | None:
        if self.price is None or usage is None or usage.input_total is None or usage.output_total is None:
            return None
        read, write = usage.cache_read or 0, usage.cache_write or 0
        miss = max(usage.input_total - read - write, 0)
        return miss * self._miss + read * self._hit + write * self._write + usage.output_total * self._output


_NOTHING = Charge()
_QUOTA = Charge(unit="quota")
_ZERO = Decimal(0)


class Pricing:
    """Finds prices. `plan_of` gives a plan by its id, `plan_of_account` the plan's id of a named account."""

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        plan_of: Callable[[str], Plan | None],
        plan_of_account: Callable[[str], str | None],
    ) -> None:
        self._catalogue = catalogue
        self._plan_of = plan_of
        self._plan_of_account = plan_of_account
        self._known_from: Catalogue | None = None
        self._known: dict[tuple[str, str | None, str, int], Rate] = {}

    @property
    def version(self) -> object:
        """Another one when the catalogue is another one."""
        return self._catalogue()

    def charge(self, request: RequestRecord) -> Charge:
        """What the request cost. One that failed without reported use costs nothing."""
        if request.account is None:
            return _NOTHING
        model = request.model_served or request.model_asked or ""
        found = self.rate(request.plan, request.region, model, request.received_at)
        if not isinstance(found, Rate):
            return found
        price, currency = found.price, found.currency
        amount = self._amount(request, price)
        return Charge(unit="money", amount=amount, currency=currency, label=price.label() if price and amount else None)

    def rate(self, plan_id: str | None, region_id: str | None, model: str, at: datetime) -> "Rate | Charge":
        """What tokens of a model cost at a moment; a charge where nothing is counted by tokens."""
        plan = self._plan_of(plan_id) if plan_id else None
        if plan is None:
            return _NOTHING
        if plan.unit == "quota":
            return _QUOTA
        catalogue = self._catalogue()
        if catalogue is not self._known_from or len(self._known) > _MOST_KNOWN:
            self._known, self._known_from = {}, catalogue
        key = (plan.id, region_id, model, at.astimezone(UTC).toordinal())
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._looked_up(catalogue, plan, region_id, model, at)
        return known

    def attempt_cost(self, attempt: AttemptRecord, has_served: bool, charge: Charge) -> Decimal | None:
        """What one attempt cost: the request's cost for the one that served, else nothing; None for plan quota."""
        if has_served:
            return charge.amount
        plan_id = self._plan_of_account(attempt.account)
        plan = self._plan_of(plan_id) if plan_id else None
        return None if plan is None or plan.unit == "quota" else _ZERO

    def _looked_up(self, catalogue: Catalogue, plan: Plan, region_id: str | None, model: str, at: datetime) -> "Rate":
        region = plan.region(region_id or "")
        wanted = (region.currency,) if region else _CURRENCIES
        found = (catalogue.price(plan.id, model, each, at) for each in wanted)
        price = next((price for price in found if price is not None), None)
        return Rate(price, region.currency if region else price.currency if price else None)

    def _amount(self, request: RequestRecord, price: Price | None) -> Decimal | None:
        tokens = _tokens(request.usage)
        if tokens is None:
            return _ZERO if request.outcome != "ok" and request.usage is None else None
        return None if price is None else cost(tokens, price).amount


def amount_text(amount: Decimal | None) -> str | None:
    """An amount as a table keeps it: plain, exact."""
    return None if amount is None else plain(amount)


def _tokens(usage: Usage | None) -> Tokens | None:
    if usage is None or usage.input_total is None or usage.output_total is None:
        return None
    return Tokens(
        input_total=usage.input_total,
        output_total=usage.output_total,
        cache_read=usage.cache_read or 0,
        cache_write=usage.cache_write or 0,
    )
