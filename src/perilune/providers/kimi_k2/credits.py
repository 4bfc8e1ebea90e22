"""Credits in an answer whose field names vary: consumed and remaining, looked for in a fixed order of places.

Source: GET /api/user/credits of kimi-k2.ai, as other projects read it; the header `X-Credits-Remaining`.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from perilune.core.numbers import parse_number
from perilune.quota.snapshot import Window

_PLACES = (
    (), ("data",), ("data", "usage"), ("data", "credits"), ("result",), ("result", "usage"), ("result", "credits"),
    ("usage",), ("credits",),
)  # fmt: skip
_CONSUMED = ("total_credits_consumed", "total_credits_used", "credits_consumed", "consumed_credits", "used_credits",
             "total", "consumed")  # fmt: skip
_REMAINING = ("credits_remaining", "remaining_credits", "available_credits", "credits_left", "remaining")
_HEADER = "x-credits-remaining"
WINDOW = "credits"


class Credits(Struct, frozen=True, kw_only=True):
    """What an answer says; None is not said. `odd` names fields that were there and hold no amount."""

    consumed: Decimal | None = None
    remaining: Decimal | None = None
    odd: tuple[str, ...] = ()


def credits_in(body: Mapping[str, Any], headers: Mapping[str, str]) -> Credits:
    """Consumed and remaining credits, the first of each that can be read. Header names are lower case."""
    odd: list[str] = []
    consumed, remaining = _first(body, _CONSUMED, odd), _first(body, _REMAINING, odd)
    if remaining is None:
        remaining = _amount(headers.get(_HEADER))
    return Credits(consumed=consumed, remaining=remaining, odd=tuple(odd))


def window_of(found: Credits) -> Window:
    """One window without span and reset; what is left alone tells nothing of the whole."""
    used, left = found.consumed, found.remaining
    limit = used + left if used is not None and left is not None else None
    ratio = used / limit if used is not None and limit else None
    return Window(
        id=WINDOW,
        label="Credits",
        used=used,
        limit=limit,
        remaining=left,
        used_ratio=ratio,
        unit="credits",
        is_reliable=ratio is not None,
    )


def _first(body: Mapping[str, Any], names: tuple[str, ...], odd: list[str]) -> Decimal | None:
    for place in _objects(body):
        for name in dict.fromkeys(spelling for plain in names for spelling in (plain, _camel(plain))):
            if place.get(name) is None or isinstance(place[name], dict):
                continue
            amount = _amount(place[name])
            if amount is not None:
                return amount
            if name not in odd:
                odd.append(name)
    return None


def _objects(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for path in _PLACES:
        place: Any = body
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if isinstance(place, dict):
            yield place


def _amount(value: Any) -> Decimal | None:
    number = parse_number(value)
    return number if number is not None and number >= 0 else None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
