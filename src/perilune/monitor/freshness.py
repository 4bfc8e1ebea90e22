"""What is fresh enough to be shown without a call. Imports nothing heavy: a cached status passes through here."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

FRESH = timedelta(seconds=60)
JUST_READ = timedelta(seconds=10)
WEB_INTERVAL_S = 900


def due(accounts: Iterable[str], tried_at: Mapping[str, datetime], now: datetime, *, is_asked: bool) -> list[str]:
    """The accounts worth a call: never tried, or last tried a minute ago; ten seconds when a refresh was asked for."""
    rest = rest_of(is_asked=is_asked)
    return [account for account in accounts if account not in tried_at or now - tried_at[account] >= rest]


def rest_of(*, is_asked: bool) -> timedelta:
    """How long a reading is left alone."""
    return JUST_READ if is_asked else FRESH
