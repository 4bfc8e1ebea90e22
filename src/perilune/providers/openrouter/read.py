"""Reading an OpenRouter account: what the key may still spend, and the account's credits where the key may see them."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from perilune.core.errors import PeriluneError
from perilune.core.numbers import parse_number
from perilune.net.control import ControlAnswer, ControlClient
from perilune.providers.contract.answers import demand_success, json_object, not_understood, server_now
from perilune.providers.contract.reading import Binding
from perilune.quota.snapshot import Balance, Snapshot

_KNOWN = frozenset({
    "data", "label", "limit", "limit_remaining", "limit_reset", "include_byok_in_limit", "usage", "usage_daily",
    "usage_weekly", "usage_monthly", "byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly",
    "is_free_tier", "is_management_key", "is_provisioning_key", "expires_at", "creator_user_id", "rate_limit",
})  # fmt: skip


def read_url(binding: Binding) -> str:
    """The call that describes the key itself."""
    return f"{binding.base}/key"


async def read(binding: Binding, client: ControlClient, now: datetime, previous: Snapshot | None = None) -> Snapshot:
    """Key and credits side by side; only the key's call can fail. Raises the reading side's errors."""
    credits_call = asyncio.create_task(_credit_left(binding, client))
    try:
        snapshot = understood(binding, await client.get(read_url(binding), secret=binding.bound), now)
        credit = await credits_call
    finally:
        credits_call.cancel()
    allowance = snapshot.balance.available if snapshot.balance else None
    known = [amount for amount in (allowance, credit) if amount is not None]
    balance = Balance(currency=binding.region.currency, available=min(known)) if known else None
    return msgspec.structs.replace(snapshot, balance=balance)


async def profile(binding: Binding, client: ControlClient, snapshot: Snapshot) -> Snapshot:
    """Nothing more is told once a day; the time is noted."""
    return msgspec.structs.replace(snapshot, profile_at=snapshot.fetched_at)


def understood(binding: Binding, answer: ControlAnswer, now: datetime) -> Snapshot:
    """An answer of the key call as a snapshot; without a cap on the key its allowance is unknown, not endless."""
    demand_success(binding, answer, now)
    at, skew_s = server_now(answer, now)
    body = json_object(binding, answer)
    data = body.get("data")
    if not isinstance(data, dict) or "usage" not in data:
        raise not_understood(binding, answer, body)
    left = parse_number(data.get("limit_remaining"))
    is_capped = data.get("limit") is not None
    return Snapshot(
        account=binding.account,
        plan=binding.plan.id,
        region=binding.region.id,
        source=binding.source,
        fetched_at=at,
        balance=Balance(currency=binding.region.currency, available=left) if left is not None and is_capped else None,
        drift=("limit_remaining",) if is_capped and left is None else (),
        unknown_fields=tuple(name for name in (*body, *data) if name not in _KNOWN),
        origin=answer.url.removeprefix("https://"),
        took_ms=answer.took_ms,
        clock_skew_s=skew_s,
    )


async def _credit_left(binding: Binding, client: ControlClient) -> Decimal | None:
    try:
        answer = await client.get(f"{binding.base}/credits", secret=binding.bound)
        return _difference(json_object(binding, answer).get("data")) if answer.status == 200 else None
    except PeriluneError:
        return None


def _difference(data: Any) -> Decimal | None:
    if not isinstance(data, dict):
        return None
    total, used = parse_number(data.get("total_credits")), parse_number(data.get("total_usage"))
    return None if total is None or used is None else total - used
