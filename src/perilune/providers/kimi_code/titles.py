"""Plan titles: of a membership level by the catalogue, of a web subscription by its own words.

Source: usages.user.membership.level, usages.version; GetSubscription.subscription.goods.title.
"""

from functools import cache
from typing import Any

from perilune.catalog import load
from perilune.catalog.titles import Memberships
from perilune.providers.kimi_code.wire import text_of


def level_title(user: Any, version: Any) -> str | None:
    """The title that the membership level gives; None without a level or for a version that has none."""
    membership = user.get("membership") if isinstance(user, dict) else None
    return _memberships().title_of(membership.get("level"), version) if isinstance(membership, dict) else None


def web_title(active: Any, subscription: Any) -> str | None:
    """The title of a web subscription that is running; None for any other."""
    if active is False or not isinstance(subscription, dict):
        return None
    status = subscription.get("status")
    is_running = status is None or (isinstance(status, str) and "ACTIVE" in status and "INACTIVE" not in status)
    goods = subscription.get("goods")
    return text_of(goods.get("title")) if is_running and isinstance(goods, dict) else None


@cache
def _memberships() -> Memberships:
    return load.load().memberships
