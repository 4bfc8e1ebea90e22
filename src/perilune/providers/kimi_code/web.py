"""Readings from the web calls' answers: shapes only, whoever makes the calls.

Source: GetUsages, GetSubscriptionStats, GetSubscription.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from perilune.providers.kimi_code.titles import web_title
from perilune.providers.kimi_code.usages import Found, read_counts, read_month_share, reset_of
from perilune.providers.kimi_code.wallet import wallet_of
from perilune.providers.kimi_code.wire import WebStats, WebSubscription, objects, shaped
from perilune.quota import naming
from perilune.quota.reading import of_ratio
from perilune.quota.snapshot import ExtraUsage

_CODING = "FEATURE_CODING"
_PLAIN = frozenset({"enabled", "resetTime", "resetAt", "reset_time", "reset_at"})
_SPANS = {"5h": 18_000, "7d": 604_800}


class WebFindings(Struct, frozen=True):
    """What one web answer gave. `unknown` names fields that this version does not know."""

    found: Found
    title: str | None = None
    wallet: ExtraUsage | None = None
    unknown: tuple[str, ...] = ()


def is_unauthenticated(status: int, body: Mapping[str, Any]) -> bool:
    """True when the site refuses the session."""
    return status in (401, 403) or body.get("code") == "unauthenticated"


def of_usages(body: Mapping[str, Any], now: datetime) -> WebFindings | None:
    """GetUsages; None without the entry of the coding feature or without any use in it."""
    entry = next((item for item in objects(body.get("usages")) if item.get("scope") == _CODING), None)
    if entry is None:
        return None
    found = Found()
    read_counts(found, entry.get("detail"), entry.get("limits"), "web-usages", now, ("detail", "limits"))
    return WebFindings(found) if found.has_use else None


def of_stats(body: Mapping[str, Any], now: datetime, own_currency: str) -> WebFindings:
    """GetSubscriptionStats: `enabled` without a ratio is a known zero, `enabled: false` is no reading."""
    stats, unknown = shaped(body, WebStats)
    found = Found()
    for window, places in (
        ("5h", (stats.ratelimitCode5h, stats.ratelimit5h)),
        ("7d", (stats.ratelimitCode7d, stats.ratelimit7d)),
    ):
        limit = next((place for place in places if isinstance(place, dict)), None)
        if limit is not None and limit.get("enabled") is not False:
            ratio = 0 if _is_untouched(limit) else limit.get("ratio")
            _take_ratio(found, window, "web-stats", ratio, limit, now)
    _take_pool(found, stats.subscriptionBalance, "web-stats", now)
    return WebFindings(found, wallet=wallet_of((stats.boosterWallets,), own_currency), unknown=unknown)


def of_subscription(body: Mapping[str, Any], now: datetime) -> WebFindings:
    """GetSubscription: the title of a running subscription and the month pool."""
    answer, unknown = shaped(body, WebSubscription)
    found = Found()
    for balance in objects(answer.balances):
        _take_pool(found, balance, "web-subscription", now)
    return WebFindings(found, title=web_title(answer.active, answer.subscription), unknown=unknown)


def _is_untouched(limit: Mapping[str, Any]) -> bool:
    """Whether an absent ratio means 0: only in a block that holds nothing else that could be one."""
    return "ratio" not in limit and limit.get("enabled") is True and _PLAIN.issuperset(limit)


def _take_ratio(found: Found, window: str, origin: str, ratio: Any, place: Mapping[str, Any], now: datetime) -> None:
    reading = of_ratio(window, origin, ratio=ratio, resets_at=reset_of(place, now), span_s=_SPANS.get(window))
    if reading is not None and reading.used_ratio is not None:
        found.readings.append(reading)
    else:
        found.drift.append(f"{origin}.{window}")


def _take_pool(found: Found, pool: Any, origin: str, now: datetime) -> None:
    if not isinstance(pool, dict) or pool.get("feature") not in (None, "FEATURE_OMNI"):
        return
    if pool.get("type") not in (None, "SUBSCRIPTION"):
        return
    place = {"resetTime": pool.get("expireTime")}
    _take_ratio(found, naming.MONTH, origin, pool.get("amountUsedRatio"), place, now)
    if "kimiCodeUsedRatio" in pool:
        read_month_share(found, pool["kimiCodeUsedRatio"], f"{origin}.kimiCodeUsedRatio")
