"""The purse: what a request may cost is held against its budgets before it is sent, and settled with its ledger row.

Where no budget concerns a request, nothing is read or written. Source: gateway reference 7.1 and 7.3.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from sqlalchemy import Connection

from perilune.catalog.load import Catalogue
from perilune.core.errors import StoreError
from perilune.core.money import Money
from perilune.gateway.budgets import Budget, Cost, Count, KeyLimits, counted, named_budget, period_of, stops_of
from perilune.gateway.ports import Wanted
from perilune.gateway.pricing import Charge
from perilune.gateway.record import RequestRecord
from perilune.gateway.slots import Slot
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.store import spends
from perilune.store.engine import Store
from perilune.store.spends import Hold, Place
from perilune.store.times import to_ms

_PER_PRICE = Decimal(1_000_000)


class Limits(Struct, frozen=True, kw_only=True):
    """The budgets that the configuration names: spend stops by currency, owners' and accounts' by name."""

    stops: dict[str, Budget] = {}
    owners: dict[str, Budget] = {}
    accounts: dict[str, Budget] = {}

    @classmethod
    def of(
        cls, stops: Mapping[str, str], owners: Mapping[str, str], accounts: Iterable[tuple[str, str | None]]
    ) -> "Limits":
        """The limits as they are written."""
        own = {name: named_budget("owner", name, text) for name, text in owners.items()}
        of_accounts = {name: named_budget("account", name, text) for name, text in accounts if text is not None}
        return cls(
            stops=stops_of(stops),
            owners={name: one for name, one in own.items() if one is not None},
            accounts={name: one for name, one in of_accounts.items() if one is not None},
        )


class StoredPurse:
    """Budgets over the store. `now` is on the clock of the zone whose days and months count.

    `on_soft` is called in the writer's thread when a soft budget is crossed: once in a period, in all processes.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Callable[[], Catalogue],
        now: Callable[[], datetime],
        limits: Limits,
        on_soft: Callable[[Budget, datetime], None] = lambda budget, at: None,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._now = now
        self._limits = limits
        self._on_soft = on_soft
        self._used: dict[Place, int] = {}
        self.refresh()

    def limit(self, limits: Limits) -> None:
        """Keep to another version of the configuration."""
        self._limits = limits

    def refresh(self) -> None:
        """Know what every process used. Raises: StoreError."""
        with self._store.read() as connection:
            self._used = spends.all_used(connection)

    def used(self, budget: Budget) -> int:
        """What is used of a budget in this period, as far as it is settled."""
        start, _ = period_of(budget.per, self._now())
        return self._used.get(Place(budget.id, to_ms(start), budget.amount.unit), 0)

    def stop(self, slot: Slot) -> Outcome | None:
        """Why a slot that costs money is not used now; None while no spend stop is reached."""
        stop = None if slot.costs_quota else self._limits.stops.get(_currency(slot) or "")
        if stop is None or self.used(stop) < stop.amount.value:
            return None
        return self._refused(stop, self.used(stop))

    def is_soft(self, key: KeyLimits | None) -> bool:
        """Whether a soft budget of the key is used up."""
        budgets = () if key is None else key.budgets
        return any(not one.is_hard and self.used(one) >= one.amount.value for one in budgets)

    def concerns(self, owner: str, key: KeyLimits | None, slot: Slot) -> bool:
        """Whether a budget concerns a request at all: nearly always none does."""
        limits = self._limits
        if key is None and not limits.stops and not limits.owners and not limits.accounts:
            return False
        return bool(self._budgets(owner, key, slot))

    async def hold(self, wanted: Wanted) -> tuple[Count, ...] | Outcome:
        """What is to be settled later; the outcome of a slot that a budget does not allow."""
        budgets = self._budgets(wanted.owner, wanted.key, wanted.slot)
        if not budgets:
            return ()
        now = self._now()
        cost = self._estimate(wanted, now)
        counts, holds = [], []
        for budget in budgets:
            amount = counted(budget, cost)
            if amount is None and budget.is_hard:
                return self._refused(budget, budget.amount.value, is_countable=False)
            count = Count(budget, to_ms(period_of(budget.per, now)[0]), amount or 0)
            counts.append(count)
            if budget.is_hard:
                holds.append(Hold(_place(count), count.held, budget.amount.value))
        refused = await self._write(wanted.request, holds, now) if holds else None
        if isinstance(refused, Outcome):
            return refused
        if refused is not None:
            budget = next(one.budget for one in counts if _place(one) == refused.hold.place and one.budget.is_hard)
            return self._refused(budget, refused.used)
        return tuple(counts)

    def settle(self, connection: Connection, request: RequestRecord, charge: Charge) -> None:
        """Count what a request really took, in the transaction that writes its row."""
        used = {_place(count): _taken(count, request, charge) for count in request.counts}
        before = spends.settle(connection, request.id, used)
        for place, earlier in before.items():
            self._used[place] = earlier + used[place]
        for count in request.counts:
            place, limit = _place(count), count.budget.amount.value
            if not count.budget.is_hard and before[place] < limit <= before[place] + used[place]:
                self._on_soft(count.budget, request.ended_at)

    def _budgets(self, owner: str, key: KeyLimits | None, slot: Slot) -> list[Budget]:
        limits = self._limits
        found = [*key.budgets] if key is not None else []
        found += [limits.owners[owner]] if owner in limits.owners else []
        found += [limits.accounts[slot.account]] if slot.account in limits.accounts else []
        stop = None if slot.costs_quota else limits.stops.get(_currency(slot) or "")
        return found if stop is None else [*found, stop]

    def _estimate(self, wanted: Wanted, now: datetime) -> Cost:
        """The most it may cost: the prompt as uncached, the answer at its limit."""
        slot, tokens = wanted.slot, wanted.prompt_tokens + wanted.output_tokens
        if slot.costs_quota:
            return Cost(is_quota=True, tokens=tokens)
        currency = _currency(slot)
        price = currency and self._catalogue().price(slot.plan.id, wanted.model, currency, now)
        if not price:
            return Cost(tokens=tokens)
        amount = wanted.prompt_tokens * price.input_miss + wanted.output_tokens * price.output
        return Cost(money=Money(amount / _PER_PRICE, price.currency), tokens=tokens)

    async def _write(self, request: str, holds: list[Hold], now: datetime) -> spends.Refused | Outcome | None:
        def write() -> spends.Refused | None:
            with self._store.begin() as connection:
                return spends.hold(connection, request, holds, now)

        try:
            return await asyncio.to_thread(write)
        except StoreError as error:  # a limit that cannot be kept to lets nothing through
            return Outcome(kind=Is.BUSY, code=error.problem.code)

    def _refused(self, budget: Budget, used: int, *, is_countable: bool = True) -> Outcome:
        _, end = period_of(budget.per, self._now())
        facts = {
            "kind": budget.kind if is_countable else "uncounted",
            "name": budget.name,
            "budget": budget.amount.shown(),
            "per": budget.per,
            "left": budget.amount.left_after(used).shown(),
        }
        code = "PL-SPEND-STOP" if budget.kind == "stop" else "PL-BUDGET"
        return Outcome(kind=Is.BALANCE_EMPTY, code=code, retry_at=end if is_countable else None, facts=facts)


def _currency(slot: Slot) -> str | None:
    return None if slot.region is None else slot.region.currency


def _place(count: Count) -> Place:
    return Place(count.budget.id, count.period, count.budget.amount.unit)


def _taken(count: Count, request: RequestRecord, charge: Charge) -> int:
    """What a settled request counts; what was held where the vendor did not say what it took."""
    budget = count.budget
    if request.account is None or (budget.kind == "account" and budget.name != request.account):
        return 0
    is_known = charge.unit == "quota" or charge.amount is not None
    usage = request.usage
    if budget.amount.unit == "tokens" and (usage is None or usage.input_total is None):
        return count.held
    if budget.amount.unit not in ("tokens", "requests") and not is_known:
        return count.held
    tokens = 0 if usage is None else (usage.input_total or 0) + (usage.output_total or 0)
    money = None if charge.amount is None or charge.currency is None else Money(charge.amount, charge.currency)
    return counted(budget, Cost(is_quota=charge.unit == "quota", money=money, tokens=tokens)) or 0
