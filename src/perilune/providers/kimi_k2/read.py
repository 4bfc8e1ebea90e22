"""Reading the credits that a key of kimi-k2.ai has used and has left: one free call."""

from datetime import datetime

import msgspec

from perilune.net.control import ControlAnswer, ControlClient
from perilune.providers.contract.answers import demand_success, json_object, not_understood, server_now
from perilune.providers.contract.reading import Binding, demand_own_key
from perilune.providers.kimi_k2.credits import credits_in, window_of
from perilune.quota.snapshot import Snapshot

CREDITS_S = 8


def read_url(binding: Binding) -> str:
    """The credits call. Raises: PL-401-HOST for a key that is plainly the vendor's own."""
    demand_own_key(binding)
    return f"{binding.base}/user/credits"


async def read(binding: Binding, client: ControlClient, now: datetime, previous: Snapshot | None = None) -> Snapshot:
    """One call. Raises the reading side's errors."""
    answer = await client.get(read_url(binding), secret=binding.bound, timeout_s=CREDITS_S)
    return understood(binding, answer, now)


async def profile(binding: Binding, client: ControlClient, snapshot: Snapshot) -> Snapshot:
    """Nothing more is told once a day; the time is noted."""
    return msgspec.structs.replace(snapshot, profile_at=snapshot.fetched_at)


def understood(binding: Binding, answer: ControlAnswer, now: datetime) -> Snapshot:
    """An answer as a snapshot with one window. Raises: PL-PARSE when no amount was understood, else by status."""
    demand_success(binding, answer, now)
    at, skew_s = server_now(answer, now)
    body = json_object(binding, answer)
    found = credits_in(body, answer.headers)
    if found.consumed is None and found.remaining is None:
        raise not_understood(binding, answer, body)
    return Snapshot(
        account=binding.account,
        plan=binding.plan.id,
        region=binding.region.id,
        source=binding.source,
        fetched_at=at,
        windows=(window_of(found),),
        drift=found.odd,
        origin=answer.url.removeprefix("https://"),
        took_ms=answer.took_ms,
        clock_skew_s=skew_s,
    )
