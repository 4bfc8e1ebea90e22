"""Rows that more than one vendor's table holds, because their services share sentences."""

import re

from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.table import Row, words

_REQUEST = ("invalid_request_error", "")
_LIMIT = re.compile(r"limit\s*:?\s*(\d[\d,]*)", re.IGNORECASE)
_NEED = re.compile(r"requested:\s*(\d[\d,]*)", re.IGNORECASE)


def _request(kind: Is, *alternatives: str, parameter: str | None = None) -> Row:
    return Row(status=(400,), types=_REQUEST, words=words(*alternatives), kind=kind, parameter=parameter)


REQUEST_ROWS = (
    Row(status=(400,), types=("content_filter",), kind=Is.CONTENT_FILTERED),
    Row(status=(400,), words=words("considered high risk"), kind=Is.CONTENT_FILTERED),
    Row(
        status=(400,),
        types=_REQUEST,
        words=words("exceeded model token limit", "input token length too long"),
        kind=Is.CONTEXT_OVERFLOW,
        limit=_LIMIT,
        need=_NEED,
    ),
    Row(
        status=(400,),
        types=_REQUEST,
        words=words("reasoning_content is missing"),
        kind=Is.BAD_PARAM,
        parameter="reasoning_content",
        limit=re.compile(r"at index (\d+)"),
    ),
    _request(Is.BAD_PARAM, r"invalid temperature", parameter="temperature"),
    _request(Is.BAD_PARAM, r"invalid top_p", parameter="top_p"),
    _request(Is.BAD_PARAM, r"budget_tokens", parameter="budget_tokens"),
    _request(Is.BAD_PARAM, r"invalid thinking", r"cannot specify both", parameter="thinking"),
    _request(Is.BAD_PARAM, r"tool_choice.*incompatible with thinking", parameter="tool_choice"),
    _request(Is.BAD_PARAM, r"only .* is allowed for this model", parameter="sampling"),
    _request(
        Is.BAD_PARAM, r"must contain the word 'json'", r"response_format", r"json_schema", parameter="response_format"
    ),
    Row(status=(400,), types=_REQUEST, kind=Is.BAD_REQUEST),
)

RATE_ROWS = (
    Row(
        status=(429,),
        words=words(r"max concurrency:\s*\d+"),
        kind=Is.RATE_CONCURRENCY,
        limit=re.compile(r"max concurrency:\s*(\d+)", re.IGNORECASE),
    ),
    Row(
        status=(429,),
        words=words(r"max rpm:\s*\d+"),
        kind=Is.RATE_RPM,
        limit=re.compile(r"max rpm:\s*(\d+)", re.IGNORECASE),
    ),
    Row(status=(429,), words=words(r"\btpm\b"), kind=Is.RATE_TPM, limit=_LIMIT),
    Row(status=(429,), words=words(r"\btpd\b"), kind=Is.RATE_TPD, limit=_LIMIT),
)

SERVER_ROWS = (
    Row(status=(499,), kind=Is.CLIENT_GONE),
    Row(status=range(500, 600), kind=Is.TRANSIENT),
)
