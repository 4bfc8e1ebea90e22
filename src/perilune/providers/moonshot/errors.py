"""Moonshot's refusals as outcome classes. Source: the platform's error documentation; gateway reference 4.2."""

import re

from perilune.providers.contract.outcome import Answered
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.shared_rows import RATE_ROWS, REQUEST_ROWS, SERVER_ROWS
from perilune.providers.contract.table import Found, Row, first_match, implied_status, words
from perilune.providers.contract.words import VendorError

_MONEY_WITHOUT_TYPE = words("suspended", "insufficient balance", "spending limit", "past invoices", "recharge")
_MODEL = re.compile(r"not found the model (\S+) or permission denied", re.IGNORECASE)

_ROWS = (
    *REQUEST_ROWS,
    Row(status=(401,), kind=Is.AUTH_REFUSED),
    Row(status=(403,), words=words("insufficient balance", "recharge", "suspended"), kind=Is.BALANCE_EMPTY),
    Row(status=(403,), kind=Is.PERMISSION),
    Row(status=(402,), kind=Is.BALANCE_EMPTY),
    Row(status=(404,), words=words("not found the model"), kind=Is.MODEL_UNKNOWN),
    Row(status=(429,), types=("exceeded_current_quota_error",), kind=Is.BALANCE_EMPTY),
    Row(status=(429,), types=("engine_overloaded_error",), kind=Is.BUSY),
    Row(status=(429,), words=words("engine is currently overloaded"), kind=Is.BUSY),
    *RATE_ROWS,
    Row(status=(429,), types=("rate_limit_reached_error",), kind=Is.RATE_OTHER),
    Row(status=(429,), types=("",), words=_MONEY_WITHOUT_TYPE, kind=Is.BALANCE_EMPTY),
    *SERVER_ROWS,
)


def classify(answered: Answered, error: VendorError) -> Found | None:
    """The class by the vendor's table, None when no row fits."""
    found = first_match(_ROWS, implied_status(answered.status, error), error)
    if found is not None and found.kind is Is.MODEL_UNKNOWN:
        named = _MODEL.search(error.message)
        if named is not None and named[1].strip("'\"") in answered.models:
            return Found(kind=Is.MODEL_DENIED)
    return found
