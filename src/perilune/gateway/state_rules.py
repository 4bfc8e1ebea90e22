"""How an outcome closes a scope: which one, for how long, and what opens it again. Pure. Source: 5.1 and 5.5."""

from datetime import datetime, timedelta, timezone
from enum import StrEnum

from msgspec import Struct

from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is

BEIJING = timezone(timedelta(hours=8))


class Scope(StrEnum):
    """What a state is kept for."""

    GROUP = "group"
    ACCOUNT = "account"
    SURFACE = "surface"
    AGENT = "agent"
    SLOT = "slot"
    HOST = "host"


class Reopens(StrEnum):
    """What ends a state besides its time: one request let through, free evidence, or a person."""

    HALF_OPEN = "half_open"
    EVIDENCE = "evidence"
    BY_HAND = "by_hand"


class Rule(Struct, frozen=True, kw_only=True):
    """What a class does to its scope.

    Shape: opens after `after` outcomes within `within_s`; then `first_s` seconds, doubled each time up to `most_s`;
    None means without an end. Units: seconds.
    """

    scope: Scope
    first_s: float | None
    most_s: float = 0
    after: int = 1
    within_s: float = 60
    reopens: Reopens = Reopens.HALF_OPEN


_OFTEN = Rule(scope=Scope.SLOT, first_s=5, most_s=120, after=3)
_NET = Rule(scope=Scope.HOST, first_s=5, most_s=60)
_NO_SUCH = Rule(scope=Scope.SLOT, first_s=3600, most_s=3600)

RULES: dict[Is, Rule] = {
    Is.QUOTA_SPENT: Rule(scope=Scope.GROUP, first_s=900, most_s=900),
    Is.BALANCE_EMPTY: Rule(scope=Scope.GROUP, first_s=None, reopens=Reopens.EVIDENCE),
    Is.MEMBER_LAPSED: Rule(scope=Scope.ACCOUNT, first_s=300, most_s=300),
    Is.AUTH_REFUSED: Rule(scope=Scope.ACCOUNT, first_s=None, reopens=Reopens.EVIDENCE),
    Is.BANNED: Rule(scope=Scope.ACCOUNT, first_s=None, reopens=Reopens.BY_HAND),
    Is.PERMISSION: Rule(scope=Scope.ACCOUNT, first_s=900, most_s=900),
    Is.CLIENT_GATED: Rule(scope=Scope.AGENT, first_s=86_400, most_s=86_400),
    Is.RATE_RPM: Rule(scope=Scope.GROUP, first_s=2, most_s=60),
    Is.RATE_TPM: Rule(scope=Scope.GROUP, first_s=2, most_s=60),
    Is.RATE_OTHER: Rule(scope=Scope.ACCOUNT, first_s=2, most_s=60),
    Is.RATE_TPD: Rule(scope=Scope.GROUP, first_s=3600, most_s=3600),
    Is.BUSY: _OFTEN,
    Is.TRANSIENT: _OFTEN,
    Is.NET_RESET: _OFTEN,
    Is.TIMEOUT_IDLE: _OFTEN,
    Is.STREAM_CUT: _OFTEN,
    Is.GARBLED: _OFTEN,
    Is.TIMEOUT_FIRST: Rule(scope=Scope.SLOT, first_s=60, most_s=60, after=3, within_s=600),
    Is.NET_DNS: _NET,
    Is.NET_TLS: _NET,
    Is.NET_CONNECT: _NET,
    Is.NET_PROXY: _NET,
    Is.MODEL_UNKNOWN: _NO_SUCH,
    Is.MODEL_DENIED: _NO_SUCH,
    Is.ROUTING_REFUSED: _NO_SUCH,
    Is.ENDPOINT_UNKNOWN: Rule(scope=Scope.SURFACE, first_s=3600, most_s=3600),
}

_TELLS_TIME = frozenset({Is.QUOTA_SPENT, Is.RATE_RPM, Is.RATE_TPM, Is.RATE_OTHER, Is.RATE_TPD})
_JITTER_S = 5.0


def open_until(
    outcome: Outcome, rule: Rule, step: int, now: datetime, *, reset: datetime | None = None, jitter: float = 0
) -> datetime | None:
    """When a scope that opens now is tried again; None is never by itself.

    Shape: `step` counts openings in a row from 0; `reset` the window's reset by the last reading; `jitter` 0..1.
    """
    if outcome.kind in _TELLS_TIME and outcome.retry_at is not None and outcome.retry_at > now:
        return outcome.retry_at
    if outcome.kind is Is.QUOTA_SPENT and reset is not None and reset > now:
        return reset + timedelta(seconds=_JITTER_S * jitter)
    if outcome.kind is Is.RATE_TPD:
        return min(now + timedelta(hours=1), next_day_in_beijing(now))
    if rule.first_s is None:
        return None
    return now + timedelta(seconds=min(rule.first_s * 2**step, rule.most_s))


def next_day_in_beijing(now: datetime) -> datetime:
    """00:00 of the next day there: when a daily limit begins anew where no time is named."""
    local = now.astimezone(BEIJING) + timedelta(days=1)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
