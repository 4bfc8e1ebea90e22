"""What a plan is expected to take, told before the first paid call."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from perilune.core.money import Money
from perilune.review.plan.allowance import request_share
from perilune.review.plan.tokens import PRIOR_BYTES_PER_TOKEN, output_of
from perilune.review.plan.units import Unit
from perilune.review.ports import SlotView

_SURVIVORS_PER_100 = Decimal("1.5")
_VERIFY_TOKENS_PER_FINDING = 500
_VERIFY_PREFIX = 700
_SECONDS_PER_REQUEST = 90.0


class WindowForecast(Struct, frozen=True, kw_only=True):
    """A window before and after a plan, as the part that is used."""

    account: str
    id: str
    before: Decimal | None
    after: Decimal | None
    resets_at: datetime | None


class Estimate(Struct, frozen=True, kw_only=True):
    """What a plan is expected to take. `cost` is None where the account pays by plan."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Money | None = None
    windows: tuple[WindowForecast, ...] = ()
    seconds: float = 0.0


class Work(Struct, frozen=True, kw_only=True):
    """The calls of a plan. `requests` counts the reserve for re-asks too."""

    units: tuple[Unit, ...]
    votes: Mapping[str, int]
    generate_calls: int
    verify_calls: int
    requests: int


def expected_survivors(units: Sequence[Unit]) -> Decimal:
    """How many findings are expected to need verification."""
    return max(_SURVIVORS_PER_100 * sum(unit.changed for unit in units) / 100, Decimal(1))


def estimate(work: Work, slot: SlotView | None, prefix_tokens: int) -> Estimate:
    """Requests, tokens, money, window shares and time of a work. The reserve for re-asks is not expected to be used."""
    expected = expected_survivors(work.units)
    ratio = (slot.bytes_per_token if slot else None) or PRIOR_BYTES_PER_TOKEN
    calibration = PRIOR_BYTES_PER_TOKEN / ratio
    diff = sum(unit.tokens * work.votes.get(unit.id, 1) for unit in work.units)
    prefix = prefix_tokens * work.generate_calls
    verify = work.verify_calls * _VERIFY_PREFIX + (
        int(expected * _VERIFY_TOKENS_PER_FINDING) if work.verify_calls else 0
    )
    tokens_in = int((diff + prefix + verify) * calibration)
    cached = max(work.generate_calls - 1, 0) * (prefix_tokens // 256 * 256)
    tokens_out = output_of(
        expected, work.generate_calls + work.verify_calls, thinks=slot is not None and slot.thinks_always
    )
    return Estimate(
        requests=work.requests,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=_cost(slot, tokens_in, min(cached, tokens_in), tokens_out),
        windows=_forecasts(slot, work.requests),
        seconds=_seconds(slot, work.requests),
    )


def _cost(slot: SlotView | None, tokens_in: int, cached: int, tokens_out: int) -> Money | None:
    if slot is None or slot.prices is None:
        return None
    prices = slot.prices
    amount = (tokens_in - cached) * prices.miss + cached * prices.hit + tokens_out * prices.output
    return Money(amount / 1_000_000, prices.currency)


def _forecasts(slot: SlotView | None, requests: int) -> tuple[WindowForecast, ...]:
    if slot is None:
        return ()
    return tuple(
        WindowForecast(
            account=slot.account,
            id=window.id,
            before=window.used_ratio,
            after=_after(
                window.used_ratio, window.limit, window.unit, requests, request_share(window, slot.request_weight)
            ),
            resets_at=window.resets_at,
        )
        for window in slot.windows
    )


def _after(used: Decimal | None, limit: Decimal | None, unit: str, requests: int, share: Decimal) -> Decimal | None:
    if used is None:
        return None
    if unit == "requests":
        return used + Decimal(requests) / limit if limit else None
    return used + requests * share


def _seconds(slot: SlotView | None, requests: int) -> float:
    each = (slot.seconds_per_request if slot else None) or _SECONDS_PER_REQUEST
    wide = max((slot.concurrency if slot else None) or 4, 1)
    rounds = -(-requests // min(wide, 8))
    paced = requests * 60 / slot.requests_per_minute if slot and slot.requests_per_minute else 0.0
    return max(rounds * each, paced)
