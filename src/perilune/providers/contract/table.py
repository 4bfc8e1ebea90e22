"""Classifier tables: rows of status, structured types and words; the first that matches names the class."""

import re
from collections.abc import Container, Iterable

from msgspec import Struct

from perilune.providers.contract.outcome import OutcomeClass
from perilune.providers.contract.words import VendorError

ANY_5XX = range(500, 600)


class Found(Struct, frozen=True, kw_only=True):
    """What a table said: the class and what the vendor's sentence taught."""

    kind: OutcomeClass
    window: str | None = None
    limit: int | None = None
    need: int | None = None
    parameter: str | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One line of a classifier.

    Shape: `status` one or several; empty `types` take any; `words` is searched in the lowered message; `limit` and
    `need` are searched in the sentence as written, their first group is the number.
    """

    status: Container[int]
    kind: OutcomeClass
    types: tuple[str, ...] = ()
    words: re.Pattern[str] | None = None
    window: str | None = None
    parameter: str | None = None
    limit: re.Pattern[str] | None = None
    need: re.Pattern[str] | None = None

    def matches(self, status: int, error: VendorError) -> bool:
        """True when status, type and words all fit."""
        if status not in self.status:
            return False
        if self.types and not any(name in self.types for name in (error.types or ("",))):
            return False
        return self.words is None or self.words.search(error.lowered) is not None

    def found(self, error: VendorError) -> Found:
        """The class of this row with the numbers of the sentence."""
        return Found(
            kind=self.kind,
            window=self.window,
            parameter=self.parameter,
            limit=number_in(self.limit, error.message),
            need=number_in(self.need, error.message),
        )


def first_match(rows: Iterable[Row], status: int | None, error: VendorError) -> Found | None:
    """What the first fitting row says, None when none fits."""
    if status is None:
        return None
    return next((row.found(error) for row in rows if row.matches(status, error)), None)


def words(*alternatives: str) -> re.Pattern[str]:
    """A pattern that finds any of these, written as regular expressions in lower case."""
    return re.compile("|".join(alternatives))


def number_in(pattern: re.Pattern[str] | None, text: str) -> int | None:
    """The number in the pattern's first group, thousands separators allowed."""
    match = pattern.search(text[:2048]) if pattern is not None else None
    if match is None:
        return None
    digits = match[1].replace(",", "")
    return int(digits) if digits.isdigit() and len(digits) <= 15 else None


IMPLIED_STATUS = {
    "rate_limit_reached_error": 429,
    "rate_limit_error": 429,
    "engine_overloaded_error": 429,
    "exceeded_current_quota_error": 429,
    "access_terminated_error": 403,
    "permission_denied_error": 403,
    "permission_error": 403,
    "invalid_authentication_error": 401,
    "incorrect_api_key_error": 401,
    "authentication_error": 401,
    "resource_not_found_error": 404,
    "not_found_error": 404,
    "content_filter": 400,
    "invalid_request_error": 400,
    "server_error": 500,
    "unexpected_output": 500,
    "api_error": 500,
}


def implied_status(status: int | None, error: VendorError) -> int | None:
    """The status of an answer; for an error inside a 200 or a stream its own number, else what its type stands for."""
    if status is not None and status >= 300:
        return status
    if error.number is not None:
        return error.number
    return next((IMPLIED_STATUS[name] for name in error.types if name in IMPLIED_STATUS), None)
