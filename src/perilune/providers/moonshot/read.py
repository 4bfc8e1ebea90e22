"""Reading a Moonshot account: the balance, and beside it the organisation's limits."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from perilune.core.decoding import converted
from perilune.core.errors import AnswerError, PeriluneError, Problem
from perilune.core.live_models import LiveModel
from perilune.core.numbers import parse_integer, parse_number
from perilune.core.redact import vendor_words
from perilune.net.control import KIB, ControlAnswer, ControlClient
from perilune.providers.contract.answers import (
    demand_success,
    json_object,
    not_understood,
    refused_key,
    server_now,
    vendor_of,
)
from perilune.providers.contract.holders import holder_digest
from perilune.providers.contract.model_list import listed
from perilune.providers.contract.reading import Binding
from perilune.providers.moonshot.wire import Balances, Envelope, Me, Organization
from perilune.quota.snapshot import Balance, Limits, Snapshot

BALANCE_S, ME_S, MODELS_S = 10, 8, 8
_ASK_AGAIN = timedelta(days=1)
_REFUSED_WORDS = ("unauthorized", "invalid_authentication", "incorrect_api_key")


class _Told(Struct, frozen=True):
    """What the second call told; `is_refused` when the vendor does not answer it for this key."""

    limits: Limits = Limits()
    identity: str | None = None
    is_refused: bool = False


def read_url(binding: Binding) -> str:
    """The balance call of the bound region, or of the address the user wrote."""
    return f"{binding.base}/users/me/balance"


async def read(binding: Binding, client: ControlClient, now: datetime, previous: Snapshot | None = None) -> Snapshot:
    """Balance and limits side by side; only the balance can fail. Raises the reading side's errors."""
    refused_at = previous.limits_refused_at if previous else None
    asks_limits = refused_at is None or now - refused_at >= _ASK_AGAIN
    limits = asyncio.create_task(_told(binding, client)) if asks_limits else None
    try:
        answer = await client.get(read_url(binding), secret=binding.bound, timeout_s=BALANCE_S)
        snapshot = understood(binding, answer, now)
    except BaseException:
        if limits is not None:
            limits.cancel()
        raise
    told = await limits if limits is not None else _Told(is_refused=True)
    return msgspec.structs.replace(
        snapshot,
        limits=told.limits,
        models=previous.models if previous else (),
        live_models=previous.live_models if previous else (),
        profile_at=previous.profile_at if previous else None,
        identity=told.identity or (previous.identity if previous else None),
        limits_refused_at=(snapshot.fetched_at if asks_limits else refused_at) if told.is_refused else None,
    )


async def profile(binding: Binding, client: ControlClient, snapshot: Snapshot) -> Snapshot:
    """The snapshot with the models that the account offers; a call that fails adds nothing."""
    live = await _models(binding, client) or snapshot.live_models
    models = tuple(model.id for model in live) or snapshot.models
    return msgspec.structs.replace(snapshot, models=models, live_models=live, profile_at=snapshot.fetched_at)


def understood(binding: Binding, answer: ControlAnswer, now: datetime) -> Snapshot:
    """An answer of the balance call as a snapshot. Raises: PL-401-KEY, PL-VENDOR, PL-PARSE, else by status."""
    demand_success(binding, answer, now)
    at, skew_s = server_now(answer, now)
    body = json_object(binding, answer)
    envelope = converted(body, Envelope)
    _demand_zero_code(binding, answer, body)
    data = envelope.data if isinstance(envelope.data, dict) else {}
    balances = converted(data, Balances)
    available = parse_number(balances.available_balance)
    if available is None:
        raise not_understood(binding, answer, body)
    parts = {"voucher": balances.voucher_balance, "cash": balances.cash_balance}
    read_parts = {name: parse_number(value) for name, value in parts.items()}
    known = (*Envelope.__struct_fields__, *Balances.__struct_fields__)
    return Snapshot(
        account=binding.account,
        plan=binding.plan.id,
        region=binding.region.id,
        source=binding.source,
        fetched_at=at,
        balance=Balance(currency=binding.region.currency, available=available, **read_parts),
        drift=tuple(
            f"{name}_balance" for name, value in parts.items() if value is not None and read_parts[name] is None
        ),
        unknown_fields=tuple(name for name in (*body, *data) if name not in known),
        origin=answer.url.removeprefix("https://"),
        took_ms=answer.took_ms,
        clock_skew_s=skew_s,
    )


def _demand_zero_code(binding: Binding, answer: ControlAnswer, body: dict[str, Any]) -> None:
    """Raises when the envelope of a 200 says no. A missing code stands for an answer of another shape: PL-PARSE."""
    envelope = converted(body, Envelope)
    code = parse_number(envelope.code)
    if code == 0 and envelope.status is not False:
        return
    said = " ".join(str(part) for part in (envelope.scode, envelope.message) if isinstance(part, str))
    if code == 401 or any(word in said.lower() for word in _REFUSED_WORDS):
        raise refused_key(binding, answer, vendor_words(said) or None)
    if code is None:
        raise not_understood(binding, answer, body)
    facts = {
        "host": binding.host,
        "vendor": vendor_of(binding),
        "code": str(code),
        "scode": vendor_words(str(envelope.scode), 40) if isinstance(envelope.scode, str) else "–",
    }
    words = vendor_words(envelope.message) if isinstance(envelope.message, str) else None
    raise AnswerError(
        Problem(code="PL-VENDOR", facts=facts, words=words, request_id=answer.request_id, account=binding.account)
    )


async def _models(binding: Binding, client: ControlClient) -> tuple[LiveModel, ...]:
    url = f"{binding.base}/models"
    try:
        answer = await client.get(url, secret=binding.bound, timeout_s=MODELS_S, max_bytes=1024 * KIB)
        return listed(json_object(binding, answer)) if answer.status == 200 else ()
    except PeriluneError:
        return ()


async def _told(binding: Binding, client: ControlClient) -> _Told:
    try:
        answer = await client.get(f"{binding.base}/users/me", secret=binding.bound, timeout_s=ME_S)
        if answer.status != 200:
            return _Told(is_refused=answer.status in (403, 404))
        return _organization(json_object(binding, answer), binding)
    except PeriluneError:
        return _Told()


def _organization(body: dict[str, Any], binding: Binding) -> _Told:
    data = body.get("data")
    me = converted(data, Me) if isinstance(data, dict) else Me()
    if not isinstance(me.organization, dict):
        return _Told()
    organization = converted(me.organization, Organization)
    limits = Limits(
        concurrency=_above_zero(organization.max_concurrency),
        rpm=_above_zero(organization.max_request_per_minute),
        tpm=_above_zero(organization.max_token_per_minute),
        tpd=_above_zero(organization.max_token_quota),
    )
    name = organization.id if isinstance(organization.id, str) else ""
    return _Told(limits, holder_digest(binding.plan.id, name) if name else None)


def _above_zero(value: Any) -> int | None:
    number = parse_integer(value)
    return number if number is not None and number > 0 else None
