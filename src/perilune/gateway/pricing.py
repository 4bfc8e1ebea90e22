"""What a request cost: by the price of its day, in its account's currency; plan quota is not money."""

from collections.abc import Callable
from datetime import UTC, date
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


class Charge(Struct, frozen=True, kw_only=True):
    """The cost of one request. `amount` is None for plan quota, for unknown use, and where there is no price.

    Shape: `label` names the price that the cost was counted with.
    """

    unit: Literal["money", "quota"] | None = None
    amount: Decimal | None = None
    currency: str | None = None
    label: str | None = None


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
        self._known: dict[tuple[str, str, str | None, date], Price | None] = {}

    def charge(self, request: RequestRecord) -> Charge:
        """What the request cost. One that failed without reported use costs nothing."""
        plan = self._plan_of(request.plan) if request.plan else None
        if request.account is None or plan is None:
            return _NOTHING
        if plan.unit == "quota":
            return _QUOTA
        region = plan.region(request.region or "")
        price = self._price(plan.id, request, region.currency if region else None)
        currency = region.currency if region else price.currency if price else None
        amount = self._amount(request, price)
        return Charge(unit="money", amount=amount, currency=currency, label=price.label() if price and amount else None)

    def attempt_cost(self, attempt: AttemptRecord, has_served: bool, charge: Charge) -> Decimal | None:
        """What one attempt cost: the request's cost for the one that served, else nothing; None for plan quota."""
        if has_served:
            return charge.amount
        plan_id = self._plan_of_account(attempt.account)
        plan = self._plan_of(plan_id) if plan_id else None
        return None if plan is None or plan.unit == "quota" else _ZERO

    def _price(self, plan_id: str, request: RequestRecord, currency: str | None) -> Price | None:
        """The price of the day, looked up once for each day, plan, model and currency."""
        model = request.model_served or request.model_asked or ""
        catalogue = self._catalogue()
        if catalogue is not self._known_from or len(self._known) > _MOST_KNOWN:
            self._known, self._known_from = {}, catalogue
        key = (plan_id, model, currency, request.received_at.astimezone(UTC).date())
        if key not in self._known:
            wanted = (currency,) if currency else _CURRENCIES
            found = (catalogue.price(plan_id, model, each, request.received_at) for each in wanted)
            self._known[key] = next((price for price in found if price is not None), None)
        return self._known[key]

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
