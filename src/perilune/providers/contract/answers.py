"""Answers of reading calls: JSON objects with exact numbers, or a refusal with our code and the vendor's words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from perilune.core.addresses import host_of
from perilune.core.errors import (
    AnswerError,
    ConfigError,
    CredentialError,
    PeriluneError,
    Problem,
    QuotaError,
    UnreachableError,
)
from perilune.core.redact import vendor_words
from perilune.net.control import ControlAnswer
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.registry import providers
from perilune.providers.contract.waiting import asked_wait_s

_SKEW_MATTERS = timedelta(seconds=30)
_SHOWN_FIELDS = 6
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


def server_now(answer: ControlAnswer, now: datetime) -> tuple[datetime, int]:
    """The server's time and its distance from ours in seconds: the answer's own where it is more than 30 s off."""
    local = now + timedelta(milliseconds=answer.took_ms)
    if answer.server_date is None or abs(answer.server_date - local) <= _SKEW_MATTERS:
        return now, 0
    skew_s = round((answer.server_date - local).total_seconds())
    return now + timedelta(seconds=skew_s), skew_s


def json_object(binding: Binding, answer: ControlAnswer) -> dict[str, Any]:
    """The body as a JSON object, decimals exact. Raises: AnswerError PL-PARSE."""
    try:
        body = _DECODER.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, ArithmeticError, RecursionError):
        raise not_understood(binding, answer) from None
    if not isinstance(body, dict):
        raise not_understood(binding, answer)
    return body


def not_understood(binding: Binding, answer: ControlAnswer, body: Mapping[str, Any] | None = None) -> AnswerError:
    """PL-PARSE with the content type and the names of the first fields, never their values."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
    names = ", ".join(vendor_words(name, 40) for name in list(body or {})[:_SHOWN_FIELDS])
    problem = Problem(
        code="PL-PARSE",
        variant="fields" if names else "",
        facts={"host": binding.host, "vendor": vendor_of(binding), "kind": vendor_words(kind, 40), "fields": names},
        request_id=answer.request_id,
        account=binding.account,
    )
    return AnswerError(problem)


def demand_success(binding: Binding, answer: ControlAnswer, now: datetime) -> None:
    """Return when the status is 200. Raises: the error of the status, with the vendor's words quoted."""
    if answer.status != 200:
        raise refusal(binding, answer, now)


def refusal(binding: Binding, answer: ControlAnswer, now: datetime) -> PeriluneError:
    """The error that a status of the reading side means."""
    words = words_of(answer.body)
    match answer.status:
        case 401:
            return refused_key(binding, answer, words)
        case 402:
            return _problem(QuotaError, "PL-402-MEMBER", binding, answer, words)
        case 403:
            return _problem(CredentialError, "PL-403-READ", binding, answer, words)
        case 404:
            return _not_found(binding, answer, words)
        case 429:
            return _throttled(binding, answer, words, now)
        case status if status >= 500:
            return _down(binding, answer, words, now)
        case _:
            return _problem(AnswerError, "PL-VENDOR", binding, answer, words, variant="status")


def refused_key(binding: Binding, answer: ControlAnswer, words: str | None) -> PeriluneError:
    """PL-401-KEY, or PL-401-HOST when the key's prefix is another plan's."""
    other = _other_plan(binding)
    if other is None:
        return _problem(CredentialError, "PL-401-KEY", binding, answer, words)
    return _problem(CredentialError, "PL-401-HOST", binding, answer, words, variant="looks", other=other)


def vendor_of(binding: Binding) -> str:
    """How sentences call whoever answers."""
    return binding.plan.vendor or binding.plan.label


def words_of(body: bytes) -> str | None:
    """The vendor's own sentence in an error body, redacted and cut."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    places = (error.get("message") if isinstance(error, dict) else error, document.get("message"), document.get("msg"))
    text = next((place for place in places if isinstance(place, str) and place.strip()), None)
    return None if text is None else vendor_words(text)


def _other_plan(binding: Binding) -> str | None:
    """The plan whose key prefix this key has, by the longest prefix, when it is not the bound one.

    Keys of a plan without a prefix of its own may begin with anything.
    """
    if not binding.plan.key_prefixes:
        return None
    text = binding.secret.reveal()
    matching = [
        (len(prefix), provider.plan.id, provider.plan.label)
        for provider in providers().values()
        for prefix in provider.plan.key_prefixes
        if text.startswith(prefix)
    ]
    if not matching:
        return None
    _, plan_id, label = max(matching)
    return None if plan_id == binding.plan.id else label


def _not_found(binding: Binding, answer: ControlAnswer, words: str | None) -> PeriluneError:
    base = binding.base
    if base.endswith("/v1/v1"):
        return _problem(
            ConfigError, "PL-404-PATH", binding, answer, words, variant="twice", right=base.removesuffix("/v1")
        )
    if "/v1/" not in answer.url:
        return _problem(ConfigError, "PL-404-PATH", binding, answer, words, right=f"{base}/v1")
    return _problem(ConfigError, "PL-404-READ", binding, answer, words)


def _throttled(binding: Binding, answer: ControlAnswer, words: str | None, now: datetime) -> PeriluneError:
    wait_s = asked_wait_s(answer.headers, words, now)
    retry_at = None if wait_s is None else now + timedelta(seconds=wait_s)
    return _problem(UnreachableError, "PL-429-READ", binding, answer, words, retry_at=retry_at)


def _down(binding: Binding, answer: ControlAnswer, words: str | None, now: datetime) -> PeriluneError:
    wait_s = asked_wait_s(answer.headers, None, now) if answer.status == 503 else None
    retry_at = None if wait_s is None else now + timedelta(seconds=wait_s)
    return _problem(UnreachableError, "PL-5XX-READ", binding, answer, words, retry_at=retry_at)


def _problem(
    kind: type[PeriluneError],
    code: str,
    binding: Binding,
    answer: ControlAnswer,
    words: str | None,
    *,
    variant: str = "",
    retry_at: datetime | None = None,
    **facts: str,
) -> PeriluneError:
    common = {
        "host": host_of(answer.url),
        "status": str(answer.status),
        "vendor": vendor_of(binding),
        "plan": binding.plan.label,
        "console": binding.region.keys_page,
    }
    return kind(
        Problem(
            code=code,
            variant=variant,
            facts={**common, **facts},
            words=words,
            request_id=answer.request_id,
            retry_at=retry_at,
            account=binding.account,
        )
    )
