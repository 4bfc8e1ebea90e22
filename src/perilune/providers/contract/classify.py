"""From an answer to an outcome: the vendor's table, else the generic one, with code, words and time filled in."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from perilune.core.redact import vendor_words
from perilune.providers.contract import generic
from perilune.providers.contract.outcome import Answered, Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.retry_after import retry_after_s
from perilune.providers.contract.table import Found
from perilune.providers.contract.words import VendorError, read_error

Classifier = Callable[[Answered, VendorError], Found | None]

_REQUEST_ID_ENDINGS = ("request-id", "trace-id")
_CODES: dict[Is, str | None] = {
    Is.OK: None,
    Is.CLIENT_GONE: None,
    Is.AUTH_REFUSED: "PL-401-KEY",
    Is.MEMBER_LAPSED: "PL-402-MEMBER",
    Is.BALANCE_EMPTY: "PL-BALANCE-EMPTY",
    Is.QUOTA_SPENT: "PL-QUOTA-UNKNOWN",
    Is.CLIENT_GATED: "PL-403-AGENT",
    Is.BANNED: "PL-403-BANNED",
    Is.PERMISSION: "PL-403-DENIED",
    Is.RATE_CONCURRENCY: "PL-429-PARALLEL",
    Is.RATE_RPM: "PL-429-RATE",
    Is.RATE_TPM: "PL-429-RATE",
    Is.RATE_TPD: "PL-429-RATE",
    Is.RATE_OTHER: "PL-429-RATE",
    Is.BUSY: "PL-429-BUSY",
    Is.TRANSIENT: "PL-5XX",
    Is.MODEL_UNKNOWN: "PL-404-MODEL",
    Is.MODEL_DENIED: "PL-401-MODEL",
    Is.ENDPOINT_UNKNOWN: "PL-404-PATH",
    Is.ROUTING_REFUSED: "PL-404-ROUTING",
    Is.BAD_PARAM: "PL-400-REQUEST",
    Is.BAD_REQUEST: "PL-400-REQUEST",
    Is.CONTENT_FILTERED: "PL-400-FILTER",
    Is.CONTEXT_OVERFLOW: "PL-400-TOKENS",
    Is.BODY_TOO_LARGE: "PL-400-BODY",
    Is.NET_DNS: "PL-NET-DNS",
    Is.NET_TLS: "PL-NET-TLS",
    Is.NET_CONNECT: "PL-NET-REFUSED",
    Is.NET_RESET: "PL-5XX",
    Is.NET_PROXY: "PL-NET-PROXY",
    Is.TIMEOUT_FIRST: "PL-GW-TIMEOUT",
    Is.TIMEOUT_IDLE: "PL-GW-TIMEOUT",
    Is.TIMEOUT_TOTAL: "PL-GW-TIMEOUT",
    Is.STREAM_CUT: "PL-GW-STREAM",
    Is.GARBLED: "PL-PARSE",
    Is.UNKNOWN: "PL-VENDOR",
}
_WINDOW_CODES = {"5h": "PL-QUOTA-5H", "7d": "PL-QUOTA-7D", "month": "PL-QUOTA-MONTH"}


def classify(classifier: Classifier | None, answered: Answered, now: datetime) -> Outcome:
    """The outcome of a refusal; total: nothing in the answer raises. `classifier` is the vendor's own table."""
    error = read_error(answered.body)
    found = classifier(answered, error) if classifier is not None else None
    if found is None:
        found = generic.classify(answered, error)
    wait = retry_after_s(answered.headers, error.message, now, is_window=found.kind is Is.QUOTA_SPENT)
    return Outcome(
        kind=found.kind,
        code=code_of(found, answered.status, error),
        status=answered.status,
        vendor_type=error.vendor_type,
        words=vendor_words(error.message) if error.message else None,
        request_id=request_id_of(answered.headers),
        window=found.window,
        retry_after_s=wait,
        retry_at=None if wait is None else now + timedelta(seconds=wait),
        limit=found.limit,
        need=found.need,
        parameter=found.parameter,
    )


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The vendor's own id of a request, whatever its header is called."""
    for ending in _REQUEST_ID_ENDINGS:
        for name, value in headers.items():
            if name.endswith(ending):
                return value[:200]
    return None


def code_of(found: Found, status: int | None, error: VendorError) -> str | None:
    """Our code for a class; None for a success and for a caller that left."""
    if found.kind is Is.QUOTA_SPENT:
        return _WINDOW_CODES.get(found.window or "", "PL-QUOTA-WINDOW" if found.window else "PL-QUOTA-UNKNOWN")
    if found.kind is Is.PERMISSION:
        return "PL-403-IP" if "ip is not allowed" in error.lowered else "PL-403-DENIED"
    if found.kind is Is.BAD_PARAM and found.parameter == "reasoning_content":
        return "PL-REASONING-LOST"
    if found.kind is Is.GARBLED and status is not None and 300 <= status < 400:
        return "PL-NET-REDIRECT"
    return plain_code(found.kind)


def plain_code(kind: Is) -> str | None:
    """The code of a class where nothing more is known."""
    return _CODES[kind]
