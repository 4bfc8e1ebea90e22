"""The generic classifier: what an OpenAI-compatible or Anthropic-compatible error means. Source: gateway reference 4.5.

Total: any status, any body give a class. Structured codes come first, then the status, then words of the sentence.
"""

import re

from perilune.providers.contract.outcome import Answered
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.table import Found, number_in, words
from perilune.providers.contract.words import VendorError

_NO_MONEY = (
    "insufficient_quota",
    "exceeded_current_quota_error",
    "billing_error",
    "credit_balance_too_low",
    "payment_required",
)
_BAD_KEY = ("invalid_api_key", "authentication_error", "incorrect_api_key_error", "invalid_authentication_error")
_NOT_ALLOWED = ("permission_error", "permission_denied", "permission_denied_error")
_FILTERED = ("content_filter", "content_policy_violation")
_OVERLOADED = ("overloaded_error", "engine_overloaded_error")
_RATE = ("rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error")

_MODEL_WORDS = words(r"\bmodels?\b")
_TOKEN_WORDS = words(r"\btokens?\b", r"context")
_TOO_LONG = words("maximum context", "prompt is too long", "context length", "too many tokens", "token limit")
_MONEY = words(
    r"quota.*(billing|plan)",
    r"(billing|plan).*quota",
    "insufficient balance",
    "recharge",
    "resource package",
    "spending limit",
    r"suspended.*(balance|invoice|billing|recharge)",
    r"(balance|invoice|billing|recharge).*suspended",
)
_QUOTA = words("usage limit", "quota")
_ROUTING = words(r"allowed[ _-]providers")
_DENIED = words("does not have access", "not been allowlisted", "enable the model", r"publisher model.*not found")
_PARAMETER = words(
    r"\b(temperature|top_p|top_k|presence_penalty|frequency_penalty|max_tokens|max_completion_tokens|reasoning_effort"
    r"|thinking|response_format|tool_choice|stream_options|parallel_tool_calls)\b"
)
_LIMIT = re.compile(
    r"(?:context length (?:of|is)|token limit\s*:?|maximum of|limit\s*(?:of|is|:)|>)\s*(\d[\d,]*)", re.IGNORECASE
)
_NEED = re.compile(r"(?:requested:?|resulted in|too long:)\s*(?:about )?(\d[\d,]*)", re.IGNORECASE)

_WITHOUT_STATUS = (
    (words(*_NO_MONEY, "insufficient balance", "recharge", "resource package", "spending limit"), Is.BALANCE_EMPTY),
    (_MONEY, Is.BALANCE_EMPTY),
    (words(*_BAD_KEY, "invalid api key"), Is.AUTH_REFUSED),
    (words(*_NOT_ALLOWED), Is.PERMISSION),
    (words("model_not_found"), Is.MODEL_UNKNOWN),
    (words("context_length_exceeded"), Is.CONTEXT_OVERFLOW),
    (_TOO_LONG, Is.CONTEXT_OVERFLOW),
    (words(*_FILTERED), Is.CONTENT_FILTERED),
    (words("request_too_large"), Is.BODY_TOO_LARGE),
    (words(*_OVERLOADED, "overloaded"), Is.BUSY),
    (words(*_RATE, "rate limit", "too many requests"), Is.RATE_OTHER),
    (words("econnreset", "socket hang up"), Is.NET_RESET),
    (words("enotfound", "eai_again"), Is.NET_DNS),
    (words("certificate"), Is.NET_TLS),
    (words("econnrefused", r"connect.*etimedout", r"etimedout.*connect"), Is.NET_CONNECT),
)


def classify(answered: Answered, error: VendorError) -> Found:
    """The class of any refusal."""
    status = answered.status
    if status is None or status < 300:
        if error.number is None:
            return _without_status(status, error)
        status = error.number
    return _by_code(status, error) or _by_status(status, error)


def _by_code(status: int, error: VendorError) -> Found | None:
    types = error.types
    if status == 402 or _any(types, _NO_MONEY):
        return Found(kind=Is.BALANCE_EMPTY)
    if status == 401 or _any(types, _BAD_KEY):
        return Found(kind=Is.AUTH_REFUSED)
    if status == 403 and _any(types, _NOT_ALLOWED):
        return Found(kind=Is.PERMISSION)
    if "model_not_found" in types or ("not_found_error" in types and _names_model(error)):
        return Found(kind=Is.MODEL_UNKNOWN)
    if "context_length_exceeded" in types or (status == 400 and _TOO_LONG.search(error.lowered)):
        return _overflow(error)
    if _any(types, _FILTERED):
        return Found(kind=Is.CONTENT_FILTERED)
    if status == 413 or "request_too_large" in types:
        return _overflow(error) if _TOKEN_WORDS.search(error.lowered) else Found(kind=Is.BODY_TOO_LARGE)
    if status in (503, 529) or _any(types, _OVERLOADED):
        return Found(kind=Is.BUSY)
    if status == 429 or _any(types, _RATE):
        return Found(kind=Is.BALANCE_EMPTY if _MONEY.search(error.lowered) else Is.RATE_OTHER)
    return None


def _by_status(status: int, error: VendorError) -> Found:
    if status == 403:
        return Found(kind=Is.QUOTA_SPENT if _QUOTA.search(error.lowered) else Is.PERMISSION)
    if status == 404:
        return Found(kind=_not_found(error))
    if status in (405, 501):
        return Found(kind=Is.ENDPOINT_UNKNOWN)
    if status < 400:
        return Found(kind=Is.GARBLED)
    if status in (408, 409, 425) or status >= 500:
        return Found(kind=Is.TRANSIENT)
    if status in (400, 422):
        named = _PARAMETER.search(error.lowered)
        return Found(kind=Is.BAD_PARAM, parameter=named[1]) if named else Found(kind=Is.BAD_REQUEST)
    return Found(kind=Is.CLIENT_GONE if status == 499 else Is.UNKNOWN)


def _not_found(error: VendorError) -> Is:
    if _ROUTING.search(error.lowered):
        return Is.ROUTING_REFUSED
    if _DENIED.search(error.lowered):
        return Is.MODEL_DENIED
    is_page = "page not found" in error.lowered or not error.is_json
    return Is.MODEL_UNKNOWN if _names_model(error) and not is_page else Is.ENDPOINT_UNKNOWN


def _without_status(status: int | None, error: VendorError) -> Found:
    text = " ".join((*error.types, error.lowered))
    for pattern, kind in _WITHOUT_STATUS:
        if pattern.search(text):
            return _overflow(error) if kind is Is.CONTEXT_OVERFLOW else Found(kind=kind)
    return Found(kind=Is.UNKNOWN if status is None else Is.GARBLED)


def _overflow(error: VendorError) -> Found:
    return Found(kind=Is.CONTEXT_OVERFLOW, limit=number_in(_LIMIT, error.message), need=number_in(_NEED, error.message))


def _names_model(error: VendorError) -> bool:
    return _MODEL_WORDS.search(error.lowered) is not None


def _any(types: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return any(name in wanted for name in types)
