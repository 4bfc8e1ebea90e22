"""How often an account is read in the background: sooner while it is used, seldom while nobody looks."""

from datetime import datetime, timedelta

from msgspec import Struct

_IN_USE_S, _QUIET_S, _ASLEEP_S = 120, 900, 1800
WEB_S = 900
_JUST_NOW, _AN_HOUR, _FOUR_HOURS = timedelta(minutes=5), timedelta(hours=1), timedelta(hours=4)


class Activity(Struct, frozen=True, kw_only=True):
    """What is known of an account's use: its last request through the gateway, open screens, saving of power.

    `quiet_since` is when anything last happened at all; None is not known, and then the set interval holds.
    """

    last_request_at: datetime | None = None
    has_open_screen: bool = False
    quiet_since: datetime | None = None
    saves_power: bool = False


def interval_s(configured_s: int, activity: Activity, now: datetime) -> int:
    """Seconds between two reads."""
    if activity.saves_power:
        return max(configured_s, _ASLEEP_S)
    requested = activity.last_request_at
    if activity.has_open_screen or (requested is not None and now - requested <= _JUST_NOW):
        return min(configured_s, _IN_USE_S)
    quiet = now - activity.quiet_since if activity.quiet_since is not None else timedelta(0)
    if quiet >= _FOUR_HOURS:
        return max(configured_s, _ASLEEP_S)
    return max(configured_s, _QUIET_S) if quiet >= _AN_HOUR else configured_s
