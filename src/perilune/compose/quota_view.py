"""What is left on the slots of the review route, as a review plans with it: for previews and for paid runs alike."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from perilune.catalog.load import Catalogue
from perilune.compose.board import Board
from perilune.gateway.slots import Route, Routes, Slot
from perilune.quota.resets import as_of
from perilune.quota.snapshot import Window
from perilune.review.plan.holding import BALANCE
from perilune.review.ports import Prices, SlotView, WindowState
from perilune.store.run_facts import RunFacts

_PLAN_BODY_LIMIT = 2_097_152
_STALE = timedelta(seconds=120)


class Seen(Struct, frozen=True, kw_only=True):
    """Where the view looks. `cap` tells the cap of an account group, None where there is none."""

    routes: Callable[[], Routes]
    board: Board
    catalogue: Catalogue
    cap: Callable[[str], int | None]
    now: Callable[[], datetime]
    facts: Callable[[str], RunFacts] = lambda run: RunFacts()
    reread: Callable[[Sequence[str]], Awaitable[None]] | None = None


class BoardQuota:
    """What is left on each slot of the review route, from the last readings."""

    def __init__(self, seen: Seen, route: str | None = None) -> None:
        self._seen = seen
        self._route = route

    def slots(self, run: str = "") -> Sequence[SlotView]:
        """The slots in order, less what runs but this one hold."""
        routes = self._seen.routes()
        if not routes.all:
            return ()
        facts = self._seen.facts(run)
        return [self._view(slot, facts) for slot in review_route(routes, self._route).slots]

    async def refresh(self) -> None:
        """Read the accounts of the route anew where a reading is too old and there is a way to."""
        if self._seen.reread is None:
            return
        stale = [slot.account for slot in await asyncio.to_thread(self.slots) if slot.is_stale]
        if stale:
            await self._seen.reread(stale)

    def _view(self, slot: Slot, facts: RunFacts) -> SlotView:
        board, now = self._seen.board, self._seen.now()
        verdict = board.verdict(slot.account, now)
        model = slot.config.model or slot.plan.default_model or ""
        traits = board.traits(slot.account, slot.plan.id, model)
        is_blocked = verdict is not None and verdict.usable is False
        return SlotView(
            account=slot.account,
            model=model,
            plan=slot.plan.id,
            objective="request" if slot.costs_quota else "token",
            is_usable=not is_blocked,
            blocked_by=verdict.blocked_by if verdict is not None and is_blocked else None,
            blocked_until=verdict.until if verdict is not None and is_blocked else None,
            windows=tuple(
                _window(window, slot.account, model, facts) for window in as_of(board.windows(slot.account), now)
            ),
            balance=board.balance(slot.account),
            balance_reserved=facts.reserved.get((slot.account, BALANCE), Decimal(0)),
            prices=self._prices(slot, model, now),
            context_length=traits.context if traits is not None else None,
            body_limit=_PLAN_BODY_LIMIT if slot.costs_quota else None,
            concurrency=self._seen.cap(slot.group),
            thinks_always=traits is not None and traits.thinking == "only",
            request_weight=(traits.quota_factor if traits is not None else None) or Decimal(1),
            bytes_per_token=facts.bytes_per_token.get(model),
            seconds_per_request=facts.seconds.get(model),
            is_stale=self._is_stale(slot.account, now),
            read_at=board.read_at(slot.account),
        )

    def _is_stale(self, account: str, now: datetime) -> bool:
        read_at = self._seen.board.read_at(account)
        return read_at is None or now - read_at > _STALE

    def _prices(self, slot: Slot, model: str, now: datetime) -> Prices | None:
        if slot.region is None or slot.costs_quota:
            return None
        price = self._seen.catalogue.price(slot.plan.id, model, slot.region.currency, now)
        if price is None:
            return None
        hit = price.input_miss if price.input_hit is None else price.input_hit
        return Prices(hit=hit, miss=price.input_miss, output=price.output, currency=price.currency)


def review_route(routes: Routes, wanted: str | None) -> Route:
    """The route reviews go by: the one named, else `review`, else `default`, else the first."""
    named = (routes.named(name) for name in (wanted, "review", "default") if name)
    return next((route for route in named if route is not None), routes.all[0])


def _window(window: Window, account: str, model: str, facts: RunFacts) -> WindowState:
    return WindowState(
        id=window.id,
        unit=window.unit,
        used_ratio=window.used_ratio,
        limit=window.limit,
        remaining=window.remaining,
        span_s=window.span_s,
        resets_at=window.resets_at,
        reserved=facts.reserved.get((account, window.id), Decimal(0)),
        samples=tuple(facts.shares.get((account, window.id, model), ())),
    )
