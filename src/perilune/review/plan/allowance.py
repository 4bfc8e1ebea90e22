"""What one review may take of what an account has left."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

from msgspec import Struct

from perilune.core.money import Money
from perilune.review.ports import SlotView, WindowState

LEAST_SAMPLES = 5
MOST_SAMPLES = 50
_PRIORS = {"5h": Decimal(1) / 300, "7d": Decimal(1) / 1000, "month": Decimal(1) / 4000}
_PRIOR = Decimal(1) / 300
_PRIOR_SPAN_S = 18_000


class Allowance(Struct, frozen=True, kw_only=True):
    """How many requests and how much money a review may use on one account, and the window that says so.

    Shape: `requests` None where no window counts; `share` is the part of what is left that was taken as a basis.
    """

    requests: int | None = None
    binding: WindowState | None = None
    money: Money | None = None
    share: Decimal = Decimal("0.4")
    is_halved: bool = False


def allowance(slot: SlotView, max_share: Decimal, floor: Mapping[str, str | int]) -> Allowance:
    """The smallest of what every window of an account lets a review take."""
    share = max_share / 2 if slot.is_stale else max_share
    counted = [(_requests(window, slot, share, floor), window) for window in slot.windows]
    known = [(count, window) for count, window in counted if count is not None]
    count, binding = min(known, key=lambda pair: pair[0], default=(None, None))
    return Allowance(
        requests=count,
        binding=binding,
        money=_money(slot, share, floor),
        share=share,
        is_halved=slot.is_stale,
    )


def _requests(window: WindowState, slot: SlotView, share: Decimal, floor: Mapping[str, str | int]) -> int | None:
    if window.unit == "requests" and window.remaining is not None:
        least = _floor_count(floor.get(window.id), window.limit)
        return _whole(share * (window.remaining - least - window.reserved))
    if window.used_ratio is None:
        return None
    left = 1 - window.used_ratio - _floor_ratio(floor.get(window.id), window.limit) - window.reserved
    return _whole(share * left / request_share(window, slot.request_weight))


def _whole(value: Decimal) -> int:
    return max(int(value.to_integral_value(ROUND_FLOOR)), 0)


def request_share(window: WindowState, weight: Decimal = Decimal(1)) -> Decimal:
    """The part of a window that one review request takes: learned from the 5th sample on, else a cautious prior.

    The learned value is an upper one: of the last 50 samples nine in ten are not above it.
    """
    samples = sorted(window.samples[-MOST_SAMPLES:])
    if len(samples) >= LEAST_SAMPLES:
        at = int((Decimal(len(samples)) * 9 / 10).to_integral_value(ROUND_CEILING)) - 1
        if samples[at] > 0:
            return samples[at] * weight
    if window.id in _PRIORS:
        return _PRIORS[window.id] * weight
    return (Decimal(_PRIOR_SPAN_S) / (300 * window.span_s) if window.span_s else _PRIOR) * weight


def _floor_count(value: str | int | None, limit: Decimal | None) -> Decimal:
    ratio = _percent(value)
    if ratio is not None:
        return ratio * (limit or 0)
    return Decimal(value) if isinstance(value, int) else _number(value)


def _floor_ratio(value: str | int | None, limit: Decimal | None) -> Decimal:
    ratio = _percent(value)
    if ratio is not None:
        return ratio
    return _floor_count(value, limit) / limit if limit else Decimal(0)


def _percent(value: str | int | None) -> Decimal | None:
    if isinstance(value, str) and value.endswith("%"):
        return _number(value[:-1]) / 100
    return None


def _number(value: str | None) -> Decimal:
    try:
        return Decimal(value or 0)
    except InvalidOperation:
        return Decimal(0)


def _money(slot: SlotView, share: Decimal, floor: Mapping[str, str | int]) -> Money | None:
    if slot.balance is None:
        return None
    least = parse_money(floor.get("balance"))
    kept = least.amount if least is not None and least.currency == slot.balance.currency else Decimal(0)
    left = slot.balance.amount - kept - slot.balance_reserved
    return Money(max(share * left, Decimal(0)), slot.balance.currency)


def parse_money(value: object) -> Money | None:
    """`USD 0.50`, `CNY3`; None for anything else."""
    if not isinstance(value, str) or len(value) < 4 or not value[:3].isalpha():
        return None
    try:
        return Money(Decimal(value[3:].strip()), value[:3].upper())
    except InvalidOperation:
        return None
