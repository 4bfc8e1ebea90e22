"""Detection: which plan and region a key belongs to, found by free reads of official hosts.

The key's beginning gives the order, never the verdict; a host that was not reached says nothing about the key.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from perilune.catalog.plan import Plan, Region
from perilune.core.secret import Secret
from perilune.net.control import ControlClient
from perilune.providers.contract.probing import Probed
from perilune.providers.contract.reading import Binding, reader_of

HOST_LIMIT_S = 5.0
WHOLE_LIMIT_S = 6.0
LEAST_S = 1.0
_GRACE_S = 1.0
_PROFILE_LIMIT_S = 2.0

Ask = Callable[[Binding, float], Awaitable[Probed]]
Outcome = Literal["accepted", "ambiguous", "probable", "refused", "unsure", "not-reached", "forbidden"]


class Target(Struct, frozen=True):
    """One host that may be asked."""

    plan: Plan
    region: Region
    base_url: str | None = None

    @property
    def base(self) -> str:
        """The address as people read it, without scheme."""
        return (self.base_url or self.region.read_base).partition("://")[2].rstrip("/")

    @property
    def host(self) -> str:
        return self.base.partition("/")[0]


class Tried(Struct, frozen=True):
    """What one host said to the key."""

    target: Target
    probed: Probed


class Detection(Struct, frozen=True):
    """What came of it. `chosen` is the host the key will be bound to, None when there is none."""

    outcome: Outcome
    tried: tuple[Tried, ...]
    chosen: Tried | None = None

    def with_verdict(self, *verdicts: str) -> list[Tried]:
        """What was tried and ended so, in order."""
        return [one for one in self.tried if one.probed.verdict in verdicts]


def targets(
    plans: Mapping[str, Plan],
    *,
    first: str | None = None,
    plan: str | None = None,
    region: str | None = None,
    allowed_hosts: Sequence[str] = (),
) -> list[Target]:
    """The hosts to ask, in order: those of the plan the key looks like, then the other plans that detection knows.

    `plan` and `region` narrow the list, so does the policy `allowed_hosts`. A plan outside detection is asked alone.
    """
    if plan is None and first is not None and not plans[first].is_detectable:
        plan = first
    asked = [plans[plan]] if plan else [one for one in plans.values() if one.is_detectable and one.regions]
    asked.sort(key=lambda one: one.id != first)
    found = [Target(one, place) for one in asked for place in one.regions if region in (None, place.id)]
    return [target for target in found if not allowed_hosts or target.host in allowed_hosts]


async def detect(secret: Secret, hosts: Sequence[Target], ask: Ask, *, salt: bytes = b"") -> Detection:
    """Ask two hosts at a time, stop at the first that accepts; 5 s each, 6 s in all."""
    started = time.monotonic()
    tried: list[Tried] = []
    for first in range(0, len(hosts), 2):
        left_s = HOST_LIMIT_S if first == 0 else max(WHOLE_LIMIT_S - (time.monotonic() - started), LEAST_S)
        pair = hosts[first : first + 2]
        tried += await _ask_pair(secret, pair, ask, salt, min(left_s, HOST_LIMIT_S))
        if any(one.probed.verdict == "accepted" for one in tried):
            break
    return judge(tried)


async def _ask_pair(secret: Secret, pair: Sequence[Target], ask: Ask, salt: bytes, limit_s: float) -> list[Tried]:
    """Both at once. When one accepts, the other has a moment more to say so too, and is then left."""
    asking = [asyncio.ensure_future(ask(_binding(secret, target, salt), limit_s)) for target in pair]
    try:
        done, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        if waiting:
            accepts = any(task.result().verdict == "accepted" for task in done)
            await asyncio.wait(waiting, timeout=_GRACE_S if accepts else None)
    finally:
        for task in asking:
            task.cancel()
    both = zip(pair, asking, strict=True)
    return [Tried(target, task.result()) for target, task in both if task.done() and not task.cancelled()]


async def with_profile(detection: Detection, secret: Secret, client: ControlClient, salt: bytes) -> Detection:
    """The detection with what the chosen host tells on its other free calls, such as a title, when quick."""
    chosen = detection.chosen
    reader = reader_of(chosen.target.plan.id) if chosen else None
    if chosen is None or reader is None or chosen.probed.snapshot is None:
        return detection
    try:
        async with asyncio.timeout(_PROFILE_LIMIT_S):
            snapshot = await reader.profile(_binding(secret, chosen.target, salt), client, chosen.probed.snapshot)
    except TimeoutError:
        return detection
    fuller = Tried(chosen.target, msgspec.structs.replace(chosen.probed, snapshot=snapshot))
    tried = tuple(fuller if one is chosen else one for one in detection.tried)
    return Detection(detection.outcome, tried, fuller)


def _binding(secret: Secret, target: Target, salt: bytes) -> Binding:
    return Binding(
        account="", plan=target.plan, region=target.region, secret=secret, base_url=target.base_url, salt=salt
    )


def judge(tried: Sequence[Tried]) -> Detection:
    """What the hosts' verdicts come to. Not reached is never read as a wrong key."""
    accepted, probable, forbidden, refused = (
        [one for one in tried if one.probed.verdict in verdicts]
        for verdicts in (("accepted",), ("no-plan", "throttled"), ("forbidden",), ("refused",))
    )
    outcome: Outcome = "not-reached"
    if len(accepted) > 1:
        outcome = "ambiguous"
    elif accepted:
        outcome = "accepted"
    elif probable:
        outcome = "probable"
    elif forbidden:
        outcome = "forbidden"
    elif refused:
        outcome = "refused" if len(refused) == len(tried) else "unsure"
    best = (accepted or probable or forbidden)[:1]
    return Detection(outcome, tuple(tried), best[0] if best else None)
