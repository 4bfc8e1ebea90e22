"""Errors as each dialect's clients read them. Source: gateway reference 1.9."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from perilune.dialects.fields import encode
from perilune.dialects.form import Dialect
from perilune.dialects.responses.items import response_object
from perilune.dialects.responses.stream_out import ResponsesStreamEncoder
from perilune.dialects.sse import encode_event


class ErrorKind(StrEnum):
    """The rows of the table of errors in front."""

    KEY = "key"
    NOT_ALLOWED = "not_allowed"
    BUDGET = "budget"
    REFUSED = "refused"
    SPENT = "spent"
    RATE = "rate"
    QUEUE = "queue"
    BUSY = "busy"
    TIMEOUT = "timeout"
    MODEL = "model"
    PATH = "path"
    BAD_REQUEST = "bad_request"
    FILTER = "filter"
    OVERFLOW = "overflow"
    TOO_LARGE = "too_large"


class Row(NamedTuple):
    """Status and type of an error; `should_retry` is the header's value, None leaves it out."""

    status: int
    type: str
    messages_type: str
    should_retry: bool | None = False
    messages_status: int | None = None


ROWS: dict[ErrorKind, Row] = {
    ErrorKind.KEY: Row(401, "invalid_request_error", "authentication_error"),
    ErrorKind.NOT_ALLOWED: Row(403, "permission_error", "permission_error"),
    ErrorKind.BUDGET: Row(402, "insufficient_quota", "billing_error"),
    ErrorKind.REFUSED: Row(403, "permission_error", "permission_error"),
    ErrorKind.SPENT: Row(402, "insufficient_quota", "billing_error"),
    ErrorKind.RATE: Row(429, "rate_limit_error", "rate_limit_error", True),
    ErrorKind.QUEUE: Row(429, "rate_limit_error", "rate_limit_error", True),
    ErrorKind.BUSY: Row(503, "server_error", "overloaded_error", None, 529),
    ErrorKind.TIMEOUT: Row(504, "timeout_error", "timeout_error"),
    ErrorKind.MODEL: Row(404, "model_not_found", "not_found_error"),
    ErrorKind.PATH: Row(404, "invalid_request_error", "not_found_error"),
    ErrorKind.BAD_REQUEST: Row(400, "invalid_request_error", "invalid_request_error"),
    ErrorKind.FILTER: Row(400, "content_filter", "invalid_request_error"),
    ErrorKind.OVERFLOW: Row(400, "context_length_exceeded", "invalid_request_error"),
    ErrorKind.TOO_LARGE: Row(413, "request_too_large", "request_too_large"),
}
_LONGEST_RETRY_S = 60


class ClientError(Struct, frozen=True, kw_only=True):
    """One error for a client, in words already chosen.

    Shape: `upstream` is `{"status","type","request_id"}`, `attempts` a list of `{"slot","outcome","status","ms"}`.
    """

    kind: ErrorKind
    code: str
    message: str
    why: str | None = None
    fix: tuple[str, ...] = ()
    retry_at: datetime | None = None
    param: str | None = None
    upstream: dict[str, Any] | None = None
    attempts: Sequence[dict[str, Any]] = ()
    request_id: str = ""


def error_status(dialect: Dialect, kind: ErrorKind) -> int:
    """The HTTP status of this kind in this dialect."""
    row = ROWS[kind]
    return row.messages_status or row.status if dialect is Dialect.MESSAGES else row.status


def should_retry(kind: ErrorKind, wait_s: float | None) -> bool | None:
    """The value of `x-should-retry`, None to leave it out. A rate limit is worth a retry for up to a minute."""
    if kind is ErrorKind.RATE and wait_s is not None and wait_s > _LONGEST_RETRY_S:
        return False
    return ROWS[kind].should_retry


def overflow_message(dialect: Dialect, needed: int, limit: int, message: str) -> str:
    """The message with the phrase by which agents know that they must shorten their history."""
    if dialect is Dialect.MESSAGES:
        return f"prompt is too long: {needed} tokens > {limit} maximum. {message}"
    return f"{message} This model's maximum context length is {limit} tokens."


def error_body(dialect: Dialect, error: ClientError) -> bytes:
    """The JSON body of an error answered instead of an answer."""
    fields = error_fields(dialect, error)
    if dialect is Dialect.MESSAGES:
        return encode({"type": "error", "error": fields, "request_id": error.request_id})
    return encode({"error": fields})


def error_event(dialect: Dialect, error: ClientError) -> bytes:
    """The last event of a broken Chat or Messages stream; no end mark follows it. Responses: `failed_response`."""
    if dialect is Dialect.MESSAGES:
        return encode_event(error_body(dialect, error), b"error")
    return encode_event(error_body(dialect, error))


def failed_response(error: ClientError, encoder: ResponsesStreamEncoder) -> bytes:
    """The last event of a broken Responses stream that was being translated."""
    return encoder.failed(error_fields(Dialect.RESPONSES, error))


def failed_relayed_response(error: ClientError, *, response_id: str, model: str, created: int, number: int) -> bytes:
    """The same for a stream that was relayed; `number` is the next `sequence_number`."""
    whole = response_object(
        response_id=response_id,
        model=model,
        created=created,
        status="failed",
        output=[],
        error=error_fields(Dialect.RESPONSES, error),
    )
    data = {"type": "response.failed", "sequence_number": number, "response": whole}
    return encode_event(encode(data), b"response.failed")


def error_fields(dialect: Dialect, error: ClientError) -> dict[str, Any]:
    """The error object itself, equal in all dialects but for its type."""
    row = ROWS[error.kind]
    fields: dict[str, Any] = {
        "message": error.message,
        "type": row.messages_type if dialect is Dialect.MESSAGES else row.type,
        "code": error.code,
        "param": error.param,
        "why": error.why,
        "fix": list(error.fix),
        "retry_at": _instant(error.retry_at),
    }
    if error.upstream is not None:
        fields["upstream"] = error.upstream
    if error.attempts:
        fields["attempts"] = list(error.attempts)
    return fields


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
