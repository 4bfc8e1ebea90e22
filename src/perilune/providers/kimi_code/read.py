"""Reading a Kimi Code account: one free call, and once a day who the key belongs to and which models it may ask."""

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from perilune.core.errors import PeriluneError
from perilune.net.control import KIB, ControlAnswer, ControlClient
from perilune.providers.contract.answers import demand_success, json_object, not_understood, server_now
from perilune.providers.contract.holders import holder_digest
from perilune.providers.contract.model_list import listed
from perilune.providers.contract.reading import Binding
from perilune.providers.kimi_code import web_read
from perilune.providers.kimi_code.login import refused_login
from perilune.providers.kimi_code.names import unknown_names
from perilune.providers.kimi_code.titles import level_title
from perilune.providers.kimi_code.usages import Found, concurrency_of, read_counts, read_ratios
from perilune.providers.kimi_code.wallet import odd_in, wallet_of
from perilune.providers.kimi_code.wire import Me, Usages, shaped, text_of
from perilune.quota.snapshot import Limits, Snapshot
from perilune.quota.windows import derive_windows

USAGES_S, MODELS_S, ME_S = 8, 8, 8


def read_url(binding: Binding) -> str:
    """The usages call of the bound region, or of the address the user wrote."""
    return _url(binding, "usages")


async def read(binding: Binding, client: ControlClient, now: datetime, previous: Snapshot | None = None) -> Snapshot:
    """One call; what earlier profiles told is carried on. Raises the reading side's errors."""
    if binding.source == "web-session":
        return await web_read.read_session(binding, client, now)
    answer = await client.get(read_url(binding), secret=binding.bound, timeout_s=USAGES_S)
    return _carried(understood(binding, answer, now), previous)


async def profile(binding: Binding, client: ControlClient, snapshot: Snapshot) -> Snapshot:
    """The snapshot with models, title and identity; a call that fails adds nothing. The web site has none of them."""
    if binding.source == "web-session":
        return msgspec.structs.replace(snapshot, profile_at=snapshot.fetched_at)
    models, me = await asyncio.gather(
        _extra(binding, client, "models", MODELS_S, 1024 * KIB), _extra(binding, client, "me", ME_S, 256 * KIB)
    )
    title, identity = _person(me, binding)
    live = listed(models)
    return msgspec.structs.replace(
        snapshot,
        models=tuple(model.id for model in live) or snapshot.models,
        live_models=live or snapshot.live_models,
        profile_title=title or snapshot.profile_title,
        plan_title=_title(snapshot, title),
        identity=identity or snapshot.identity,
        profile_at=snapshot.fetched_at,
    )


def _title(snapshot: Snapshot, profile_title: str | None) -> str | None:
    """The web subscription's own title stands before the profile's, once it is known to be of the same person."""
    has_web = snapshot.web_identity == "same" and snapshot.plan_title is not None
    return snapshot.plan_title if has_web else profile_title or snapshot.plan_title


def understood(binding: Binding, answer: ControlAnswer, now: datetime) -> Snapshot:
    """An answer of the usages call as a snapshot. Raises: PL-PARSE when nothing was understood, else by status."""
    if binding.source == "web-session":
        return web_read.understood(binding, answer, now)
    if answer.status == 401 and binding.source == "cli-login":
        raise refused_login(binding.account, answer.url)
    demand_success(binding, answer, now)
    at, skew_s = server_now(answer, now)
    body = json_object(binding, answer)
    usages, _ = shaped(body, Usages)
    found = Found()
    read_counts(found, usages.usage, usages.limits, "usage", at, ("usage", "limits"))
    read_ratios(found, usages.usages, at)
    wallets = (usages.boosterWallet, usages.booster_wallet, usages.boosterWallets)
    wallet = wallet_of(wallets, binding.region.currency)
    if not found.has_use and wallet is None:
        raise not_understood(binding, answer, body)
    concurrency = concurrency_of(usages.parallel)
    windows = derive_windows(found.readings, at, found.parts)
    reported = {window.id for window in windows}
    return Snapshot(
        account=binding.account,
        plan=binding.plan.id,
        region=binding.region.id,
        source=binding.source,
        fetched_at=at,
        plan_title=level_title(usages.user, usages.version),
        windows=windows,
        loose_parts=tuple(part for name, parts in found.parts.items() if name not in reported for part in parts),
        extra_usage=wallet,
        identity=web_read.identity_of(binding) if binding.source == "cli-login" else None,
        limits=Limits(concurrency=concurrency),
        drift=(*found.drift, *_odd_parts(usages, concurrency, wallets, is_wallet_read=wallet is not None)),
        unknown_fields=unknown_names(body),
        origin=answer.url.removeprefix("https://"),
        took_ms=answer.took_ms,
        clock_skew_s=skew_s,
    )


def _odd_parts(usages: Usages, concurrency: int | None, wallets: tuple[Any, ...], *, is_wallet_read: bool) -> list[str]:
    """Known parts beside the windows that are there and could not be read."""
    odd = []
    odd += _odd_membership(usages.user)
    if usages.version is not None and not isinstance(usages.version, str):
        odd.append("version")
    if usages.usages is not None and not isinstance(usages.usages, dict):
        odd.append("usages")
    if usages.parallel not in (None, {}) and concurrency is None:
        odd.append("parallel")
    if any(wallets):
        odd += odd_in(wallets) if is_wallet_read else ["boosterWallet"]
    return odd


def _odd_membership(user: Any) -> list[str]:
    """The first step on the way to the level that is not what it was."""
    if user is None:
        return []
    if not isinstance(user, dict):
        return ["user"]
    membership = user.get("membership")
    if membership is None or (isinstance(membership, dict) and isinstance(membership.get("level"), str | None)):
        return []
    return ["user.membership.level" if isinstance(membership, dict) else "user.membership"]


def _carried(snapshot: Snapshot, previous: Snapshot | None) -> Snapshot:
    if previous is None or previous.source != snapshot.source:
        return snapshot  # another credential may be another person's
    return msgspec.structs.replace(
        snapshot,
        models=previous.models,
        live_models=previous.live_models,
        profile_title=previous.profile_title,
        profile_at=previous.profile_at,
        identity=snapshot.identity or previous.identity,
        plan_title=previous.profile_title or snapshot.plan_title,
    )


async def _extra(
    binding: Binding, client: ControlClient, leaf: str, timeout_s: float, max_bytes: int
) -> dict[str, Any]:
    try:
        answer = await client.get(_url(binding, leaf), secret=binding.bound, timeout_s=timeout_s, max_bytes=max_bytes)
        return json_object(binding, answer) if answer.status == 200 else {}
    except PeriluneError:
        return {}


def _person(body: dict[str, Any], binding: Binding) -> tuple[str | None, str | None]:
    me, _ = shaped(body, Me)
    user_id = text_of(me.user_id)
    return text_of(me.user_level_name), holder_digest(binding.plan.id, user_id) if user_id else None


def _url(binding: Binding, leaf: str) -> str:
    base = binding.base
    if base.endswith("coding/v1"):
        return f"{base}/{leaf}"
    return f"{base}/v1/{leaf}" if base.endswith("coding") else f"{base}/coding/v1/{leaf}"
