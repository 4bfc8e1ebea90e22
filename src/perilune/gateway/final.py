"""What the client is told when no slot answered: status, type, code, whether to come back and when. Pure. Source: 1.9."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from perilune.dialects.form import Dialect
from perilune.gateway.call import Attempt
from perilune.providers.contract.outcome import OutcomeClass as Is

_LONGEST_BUSY_S = 30


class Told(Struct, frozen=True, kw_only=True):
    """One row of the table of answers. Shape: `should_retry` None leaves the header out."""

    status: int
    kind: str
    messages_kind: str
    should_retry: bool | None = False
    messages_status: int | None = None

    def status_for(self, dialect: Dialect) -> int:
        """The HTTP status in this dialect."""
        return self.messages_status or self.status if dialect is Dialect.MESSAGES else self.status

    def kind_for(self, dialect: Dialect) -> str:
        """The error type in this dialect."""
        return self.messages_kind if dialect is Dialect.MESSAGES else self.kind


KEY = Told(status=401, kind="invalid_request_error", messages_kind="authentication_error")
NOT_ALLOWED = Told(status=403, kind="permission_error", messages_kind="permission_error")
SPENT = Told(status=402, kind="insufficient_quota", messages_kind="billing_error")
RATE = Told(status=429, kind="rate_limit_error", messages_kind="rate_limit_error", should_retry=True)
DOWN = Told(status=503, kind="server_error", messages_kind="overloaded_error", should_retry=None, messages_status=529)
LATE = Told(status=504, kind="timeout_error", messages_kind="timeout_error")
NOT_FOUND = Told(status=404, kind="model_not_found", messages_kind="not_found_error")
NO_PATH = Told(status=404, kind="invalid_request_error", messages_kind="not_found_error")
BAD = Told(status=400, kind="invalid_request_error", messages_kind="invalid_request_error")
FILTERED = Told(status=400, kind="content_filter", messages_kind="invalid_request_error")
OVERFLOW = Told(status=400, kind="context_length_exceeded", messages_kind="invalid_request_error")
TOO_LARGE = Told(status=413, kind="request_too_large", messages_kind="request_too_large")
STOPPING = Told(
    status=503, kind="server_error", messages_kind="overloaded_error", should_retry=None, messages_status=529
)
WRONG_TYPE = Told(status=415, kind="invalid_request_error", messages_kind="invalid_request_error")

_BY_CLASS: dict[Is, Told] = {
    Is.AUTH_REFUSED: NOT_ALLOWED,
    Is.CLIENT_GATED: NOT_ALLOWED,
    Is.BANNED: NOT_ALLOWED,
    Is.PERMISSION: NOT_ALLOWED,
    Is.MODEL_DENIED: NOT_ALLOWED,
    Is.BALANCE_EMPTY: SPENT,
    Is.QUOTA_SPENT: SPENT,
    Is.MEMBER_LAPSED: SPENT,
    Is.RATE_CONCURRENCY: RATE,
    Is.RATE_RPM: RATE,
    Is.RATE_TPM: RATE,
    Is.RATE_TPD: RATE,
    Is.RATE_OTHER: RATE,
    Is.TIMEOUT_FIRST: LATE,
    Is.TIMEOUT_TOTAL: LATE,
    Is.MODEL_UNKNOWN: NOT_FOUND,
    Is.ENDPOINT_UNKNOWN: NOT_FOUND,
    Is.ROUTING_REFUSED: NOT_FOUND,
    Is.BAD_REQUEST: BAD,
    Is.BAD_PARAM: BAD,
    Is.CONTENT_FILTERED: FILTERED,
    Is.CONTEXT_OVERFLOW: OVERFLOW,
    Is.BODY_TOO_LARGE: TOO_LARGE,
}
PROMPT_STOPS = frozenset({Is.BAD_REQUEST, Is.BAD_PARAM, Is.CONTENT_FILTERED, Is.CONTEXT_OVERFLOW, Is.BODY_TOO_LARGE})
_SPENT = frozenset({Is.BALANCE_EMPTY, Is.QUOTA_SPENT, Is.MEMBER_LAPSED})
_REFUSED = frozenset({Is.AUTH_REFUSED, Is.CLIENT_GATED, Is.BANNED, Is.PERMISSION, Is.MODEL_DENIED})
_SOON = frozenset(
    {
        Is.BUSY,
        Is.TRANSIENT,
        Is.NET_DNS,
        Is.NET_TLS,
        Is.NET_CONNECT,
        Is.NET_RESET,
        Is.NET_PROXY,
        Is.TIMEOUT_IDLE,
        Is.STREAM_CUT,
        Is.GARBLED,
    }
)


class Ending(Struct, frozen=True, kw_only=True):
    """How a request without an answer ends. Units: `retry_after_s` whole seconds."""

    told: Told
    status: int
    code: str
    deciding: Attempt | None
    retry_after_s: int | None = None
    should_retry: bool | None = None


def ending(attempts: Sequence[Attempt], dialect: Dialect, now: datetime) -> Ending:
    """The answer after the last attempt: the slot that is usable again first decides."""
    last_of = {attempt.slot: attempt for attempt in attempts}
    stopping = next((a for a in reversed(attempts) if a.outcome.kind in PROMPT_STOPS and not a.is_skipped), None)
    deciding = stopping or min(last_of.values(), key=lambda attempt: _ready(attempt, now))
    told = _told(deciding)
    wait = _wait(deciding, now)
    should_retry = told.should_retry
    if told is RATE and (wait is None or wait > 60):
        should_retry = False
    if told is DOWN:
        wait = min(max(wait or 1, 1), _LONGEST_BUSY_S)
    if told not in (RATE, DOWN, SPENT):
        wait = None
    status = told.status_for(dialect)
    if deciding.outcome.kind is Is.UNKNOWN and (deciding.outcome.status or 0) >= 400:
        status = deciding.outcome.status or status
    return Ending(
        told=told,
        status=status,
        code=_code(list(last_of.values()), deciding, is_stop=stopping is not None),
        deciding=deciding,
        retry_after_s=wait,
        should_retry=should_retry,
    )


def told_for(kind: Is) -> Told:
    """The row of a class."""
    return _BY_CLASS.get(kind, DOWN)


def _told(attempt: Attempt) -> Told:
    return told_for(attempt.outcome.kind)


def _code(slots: list[Attempt], deciding: Attempt, *, is_stop: bool) -> str:
    if is_stop or len(slots) == 1:
        return deciding.outcome.code or "PL-VENDOR"
    return "PL-GW-SPENT" if all(attempt.outcome.kind in _SPENT for attempt in slots) else "PL-GW-DOWN"


def _ready(attempt: Attempt, now: datetime) -> tuple[int, float]:
    """Known times first, unknown ones after them, refused keys last."""
    outcome = attempt.outcome
    if outcome.kind in _REFUSED:
        return (2, 0)
    if outcome.retry_at is not None:
        return (0, max((outcome.retry_at - now).total_seconds(), 0))
    return (0, _LONGEST_BUSY_S) if outcome.kind in _SOON else (1, 0)


def _wait(attempt: Attempt, now: datetime) -> int | None:
    retry_at = attempt.outcome.retry_at
    if retry_at is None:
        return None
    return max(-int(-(retry_at - now).total_seconds() // 1), 1)
