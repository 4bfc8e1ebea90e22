"""Plan titles. Levels of the first goods version have names; later versions name themselves.

Source: usages.user.membership.level, usages.version; names as third parties report them, 2026.
"""

from typing import Any

from perilune.providers.kimi_code.wire import text_of

_FIRST_VERSION = "GOODS_VERSION_V1"
_NAMES = {
    "LEVEL_FREE": "Adagio",
    "LEVEL_TRIAL": "Andante",
    "LEVEL_BASIC": "Moderato",
    "LEVEL_INTERMEDIATE": "Allegretto",
    "LEVEL_ADVANCED": "Allegro",
    "LEVEL_PREMIUM": "Vivace",
}


def level_title(user: Any, version: Any) -> str | None:
    """The title that the membership level gives; None without a level."""
    membership = user.get("membership") if isinstance(user, dict) else None
    level = text_of(membership.get("level")) if isinstance(membership, dict) else None
    if level is None or level == "LEVEL_UNSPECIFIED":
        return None
    return _NAMES.get(level, level) if version in (None, _FIRST_VERSION) else level


def web_title(active: Any, subscription: Any) -> str | None:
    """The title of a web subscription that is running; None for any other."""
    if active is False or not isinstance(subscription, dict):
        return None
    status = subscription.get("status")
    is_running = status is None or (isinstance(status, str) and "ACTIVE" in status and "INACTIVE" not in status)
    goods = subscription.get("goods")
    return text_of(goods.get("title")) if is_running and isinstance(goods, dict) else None
