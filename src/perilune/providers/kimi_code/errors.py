"""Kimi Code's refusals as outcome classes, in both envelopes. Source: gateway reference 4.3.

One status and type stands for a spent quota, a refused client and a ban; the words decide, in the order written.
"""

import re

from perilune.providers.contract.outcome import Answered
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.shared_rows import RATE_ROWS, REQUEST_ROWS, SERVER_ROWS
from perilune.providers.contract.table import Found, Row, first_match, implied_status, words
from perilune.providers.contract.words import VendorError

_MODEL = re.compile(r"not found the model (\S+) or permission denied", re.IGNORECASE)
_NEAR_THE_CAP = 0.8

_ROWS = (
    Row(
        status=(400,),
        words=words(r"total message size \d+ exceeds limit"),
        kind=Is.BODY_TOO_LARGE,
        limit=re.compile(r"exceeds limit (\d+)"),
        need=re.compile(r"message size (\d+)"),
    ),
    Row(
        status=(400,),
        words=words("exceeded model token limit"),
        kind=Is.CONTEXT_OVERFLOW,
        limit=re.compile(r"token limit\s*:\s*(\d+)"),
        need=re.compile(r"requested:\s*(\d+)"),
    ),
    *REQUEST_ROWS,
    Row(status=(401,), words=words("subscription does not have access"), kind=Is.MODEL_DENIED),
    Row(status=(401,), kind=Is.AUTH_REFUSED),
    Row(status=(402,), kind=Is.MEMBER_LAPSED),
    Row(status=(403,), words=words("5-hour"), kind=Is.QUOTA_SPENT, window="5h"),
    Row(status=(403,), words=words("weekly", "7-day"), kind=Is.QUOTA_SPENT, window="7d"),
    Row(status=(403,), words=words("monthly"), kind=Is.QUOTA_SPENT, window="month"),
    Row(status=(403,), words=words("usage limit"), kind=Is.QUOTA_SPENT),
    Row(status=(403,), words=words("coding agents"), kind=Is.CLIENT_GATED),
    Row(status=(403,), words=words("quota", "billing cycle"), kind=Is.QUOTA_SPENT),
    Row(status=(403,), words=words("access terminated"), kind=Is.BANNED),
    Row(status=(403,), types=("access_terminated_error",), kind=Is.BANNED),
    Row(status=(403,), kind=Is.PERMISSION),
    Row(status=(404,), words=words("not found the model"), kind=Is.MODEL_UNKNOWN),
    Row(status=(429,), words=words("monthly usage limit"), kind=Is.QUOTA_SPENT, window="month"),
    Row(status=(429,), words=words("usage limit for this period", "billing cycle"), kind=Is.QUOTA_SPENT),
    Row(status=(429,), types=("exceeded_current_quota_error",), kind=Is.QUOTA_SPENT),
    Row(status=(429,), types=("engine_overloaded_error",), kind=Is.BUSY),
    Row(status=(429,), words=words("overloaded"), kind=Is.BUSY),
    *RATE_ROWS,
    Row(status=(429,), words=words("too many requests"), kind=Is.RATE_CONCURRENCY),
    *SERVER_ROWS,
)


def classify(answered: Answered, error: VendorError) -> Found | None:
    """The class by the vendor's table, None when no row fits."""
    status = implied_status(answered.status, error)
    found = first_match(_ROWS, status, error)
    if found is None and status == 429:
        return Found(kind=Is.RATE_CONCURRENCY if _is_near_the_cap(answered) else Is.RATE_OTHER)
    if found is None:
        return None
    if found.kind is Is.AUTH_REFUSED and _names_a_model(error.message, answered.models):
        return Found(kind=Is.MODEL_DENIED)
    if found.kind is Is.MODEL_UNKNOWN:
        named = _MODEL.search(error.message)
        if named is not None and named[1].strip("'\"") in answered.models:
            return Found(kind=Is.MODEL_DENIED)
    return found


def _is_near_the_cap(answered: Answered) -> bool:
    return answered.cap is not None and answered.in_flight >= _NEAR_THE_CAP * answered.cap


def _names_a_model(message: str, models: tuple[str, ...]) -> bool:
    return any(re.search(rf"(?<![\w.-]){re.escape(model)}(?![\w-])", message) for model in models)
