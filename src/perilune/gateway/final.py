"""What the client is told when no slot answered: kind, status, code, when to come back. Pure. Source: 1.9."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from perilune.dialects.errors import ErrorKind, error_status, should_retry
from perilune.dialects.form import Dialect
from perilune.gateway.call import Attempt
from perilune.providers.contract.outcome import OutcomeClass as Is

_BUSY_COUNTS_AS_S = 30

_KINDS: dict[Is, ErrorKind] = {
    Is.AUTH_REFUSED: ErrorKind.REFUSED,
    Is.CLIENT_GATED: ErrorKind.REFUSED,
    Is.BANNED: ErrorKind.REFUSED,
    Is.PERMISSION: ErrorKind.REFUSED,
    Is.MODEL_DENIED: ErrorKind.REFUSED,
    Is.BALANCE_EMPTY: ErrorKind.SPENT,
    Is.QUOTA_SPENT: ErrorKind.SPENT,
    Is.MEMBER_LAPSED: ErrorKind.SPENT,
    Is.RATE_CONCURRENCY: ErrorKind.RATE,
    Is.RATE_RPM: ErrorKind.RATE,
    Is.RATE_TPM: ErrorKind.RATE,
    Is.RATE_TPD: ErrorKind.RATE,
    Is.RATE_OTHER: ErrorKind.RATE,
    Is.TIMEOUT_FIRST: ErrorKind.TIMEOUT,
    Is.TIMEOUT_TOTAL: ErrorKind.TIMEOUT,
    Is.MODEL_UNKNOWN: ErrorKind.MODEL,
    Is.ENDPOINT_UNKNOWN: ErrorKind.MODEL,
    Is.ROUTING_REFUSED: ErrorKind.MODEL,
    Is.BAD_REQUEST: ErrorKind.BAD_REQUEST,
    Is.BAD_PARAM: ErrorKind.BAD_REQUEST,
    Is.CONTENT_FILTERED: ErrorKind.FILTER,
    Is.CONTEXT_OVERFLOW: ErrorKind.OVERFLOW,
    Is.BODY_TOO_LARGE: ErrorKind.TOO_LARGE,
}
PROMPT_STOPS = frozenset({Is.BAD_REQUEST, Is.BAD_PARAM, Is.CONTENT_FILTERED, Is.CONTEXT_OVERFLOW, Is.BODY_TOO_LARGE})
_OWN_LIMITS = ("PL-BUDGET", "PL-SPEND-STOP")
_SPENT = frozenset({Is.BALANCE_EMPTY, Is.QUOTA_SPENT, Is.MEMBER_LAPSED})


class Ending(Struct, frozen=True, kw_only=True):
    """How a request without an answer ends. Units: `retry_after_s` whole seconds."""

    kind: ErrorKind
    status: int
    code: str
    deciding: Attempt
    retry_after_s: int | None = None
    should_retry: bool | None = None


def kind_of(outcome: Is) -> ErrorKind:
    """The row of the table of answers for a class; what is not named there counts as the vendor's trouble."""
    return _KINDS.get(outcome, ErrorKind.BUSY)


def ending(attempts: Sequence[Attempt], dialect: Dialect, now: datetime) -> Ending:
    """The answer after the last attempt: a prompt-caused stop, else the slot that is usable again first decides."""
    last_of = {attempt.slot: attempt for attempt in attempts}
    stopping = next((a for a in reversed(attempts) if a.outcome.kind in PROMPT_STOPS and not a.is_skipped), None)
    late = next((a for a in attempts if a.outcome.kind is Is.TIMEOUT_TOTAL), None)
    deciding = stopping or late or min(last_of.values(), key=lambda attempt: _ready(attempt, now))
    kind = kind_of(deciding.outcome.kind)
    wait = _wait(kind, deciding, now)
    return Ending(
        kind=kind,
        status=_status(kind, deciding, dialect),
        code=_code(list(last_of.values()), deciding, is_stop=stopping is not None),
        deciding=deciding,
        retry_after_s=wait,
        should_retry=should_retry(kind, wait),
    )


def _status(kind: ErrorKind, deciding: Attempt, dialect: Dialect) -> int:
    vendors = deciding.outcome.status or 0
    return vendors if deciding.outcome.kind is Is.UNKNOWN and vendors >= 400 else error_status(dialect, kind)


def _code(slots: list[Attempt], deciding: Attempt, *, is_stop: bool) -> str:
    if is_stop or len(slots) == 1:
        return deciding.outcome.code or "PL-VENDOR"
    codes = {attempt.outcome.code for attempt in slots}
    if len(codes) == 1 and deciding.outcome.code in _OWN_LIMITS:
        return deciding.outcome.code
    return "PL-GW-SPENT" if all(attempt.outcome.kind in _SPENT for attempt in slots) else "PL-GW-DOWN"


def _ready(attempt: Attempt, now: datetime) -> tuple[int, float]:
    """Known times first, unknown ones after them, refused keys last; busy, faults and network count as 30 s."""
    outcome = attempt.outcome
    kind = kind_of(outcome.kind)
    if kind is ErrorKind.REFUSED:
        return (2, 0)
    if outcome.retry_at is not None:
        return (0, max((outcome.retry_at - now).total_seconds(), 0))
    return (0, _BUSY_COUNTS_AS_S) if kind is ErrorKind.BUSY else (1, 0)


def _wait(kind: ErrorKind, deciding: Attempt, now: datetime) -> int | None:
    at = deciding.outcome.retry_at
    seconds = None if at is None else max(-int(-(at - now).total_seconds() // 1), 1)
    if kind is ErrorKind.BUSY:
        return min(seconds or 1, _BUSY_COUNTS_AS_S)
    return seconds if kind in (ErrorKind.RATE, ErrorKind.SPENT) else None
