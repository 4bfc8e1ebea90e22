"""Shapes of the vendor's answers. Every field may be missing or of another type; readers take what is usable.

Source: GET /coding/v1/usages, /models, /me; web calls GetUsages, GetSubscriptionStats, GetSubscription.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct

from perilune.core.decoding import converted

Foreign = Any
T = TypeVar("T", bound=Struct)


class Usages(Struct, frozen=True):
    """What is left. Counts (`usage`, `limits`), the ratio map (`usages`) and the wallet may stand beside each other."""

    usage: Foreign = None
    limits: Foreign = None
    usages: Foreign = None
    user: Foreign = None
    version: Foreign = None
    parallel: Foreign = None
    boosterWallet: Foreign = None  # noqa: N815 - the vendor's name
    booster_wallet: Foreign = None
    boosterWallets: Foreign = None  # noqa: N815
    authentication: Foreign = None
    totalQuota: Foreign = None  # noqa: N815
    subType: Foreign = None  # noqa: N815


class Me(Struct, frozen=True):
    """Who the key belongs to; everything else the vendor sends is dropped when decoded."""

    user_id: Foreign = None
    user_level_name: Foreign = None
    region: Foreign = None


class WebStats(Struct, frozen=True):
    """GetSubscriptionStats."""

    ratelimitCode5h: Foreign = None  # noqa: N815
    ratelimitCode7d: Foreign = None  # noqa: N815
    ratelimit5h: Foreign = None
    ratelimit7d: Foreign = None
    subscriptionBalance: Foreign = None  # noqa: N815
    giftBalances: Foreign = None  # noqa: N815
    boosterWallets: Foreign = None  # noqa: N815


class WebSubscription(Struct, frozen=True):
    """GetSubscription."""

    subscribed: Foreign = None
    active: Foreign = None
    subscription: Foreign = None
    balances: Foreign = None


def shaped(body: Mapping[str, Any], shape: type[T]) -> tuple[T, tuple[str, ...]]:
    """The body as `shape`, and the names of fields that the shape does not know."""
    known = set(shape.__struct_fields__)
    return converted(body, shape), tuple(name for name in body if name not in known)


def objects(value: Foreign) -> tuple[dict[str, Any], ...]:
    """The objects of a list; a single object alone; nothing for anything else."""
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, dict))


def first_of(value: Mapping[str, Any], *names: str) -> Any:
    """The value of the first of `names` that is there and not null."""
    return next((value[name] for name in names if value.get(name) is not None), None)


def text_of(value: Foreign) -> str | None:
    """The text without outer spaces, None for anything else or blank."""
    return value.strip() or None if isinstance(value, str) else None
