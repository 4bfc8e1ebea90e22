"""Reading an account with a session of the vendor's web site, and enriching a key's reading with one."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from perilune.net.control import ControlAnswer, ControlClient
from perilune.providers.contract.answers import not_understood, server_now
from perilune.providers.contract.holders import holder_digest
from perilune.providers.contract.reading import Binding
from perilune.providers.kimi_code import web
from perilune.providers.kimi_code.claims import claims_of
from perilune.providers.kimi_code.web_calls import GRACE_S, CallsBeside, Told, accepted, ask_usages
from perilune.quota import naming
from perilune.quota.snapshot import ExtraUsage, Reading, Snapshot, Window, WindowPart
from perilune.quota.windows import derive_windows


class _Findings(Struct, frozen=True, kw_only=True):
    """What the calls beside the main one gave together."""

    readings: list[Reading]
    parts: Mapping[str, tuple[WindowPart, ...]]
    title: str | None
    wallet: ExtraUsage | None
    drift: tuple[str, ...]
    unknown: tuple[str, ...]


async def read_session(binding: Binding, client: ControlClient, now: datetime, *, grace_s: float = GRACE_S) -> Snapshot:
    """The account as the web console shows it; what stats and subscription tell within the grace is merged.

    Raises: PL-COOKIE-EXPIRED when the session is refused, else the reading side's errors of the first call.
    """
    beside = CallsBeside(iter((binding,)), client, now)
    try:
        first = understood(binding, await ask_usages(binding, client), now)
        return _merged(first, await beside.told(grace_s))
    finally:
        await beside.stop()


def understood(binding: Binding, answer: ControlAnswer, now: datetime) -> Snapshot:
    """An answer of GetUsages as a snapshot. Raises: PL-COOKIE-EXPIRED, PL-PARSE, else by status."""
    body = accepted(binding, answer, now)
    at, skew_s = server_now(answer, now)
    findings = web.of_usages(body, at)
    if findings is None:
        raise not_understood(binding, answer, body)
    return Snapshot(
        account=binding.account,
        plan=binding.plan.id,
        region=binding.region.id,
        source=binding.source,
        fetched_at=at,
        windows=derive_windows(findings.found.readings, at, findings.found.parts),
        drift=tuple(findings.found.drift),
        identity=identity_of(binding),
        origin=answer.url.removeprefix("https://"),
        took_ms=answer.took_ms,
        clock_skew_s=skew_s,
    )


def enrichment(sessions: Iterator[Binding], client: ControlClient, now: datetime) -> CallsBeside:
    """Web calls that run beside a key's reading, with the first session that is not refused. End with `enriched`."""
    return CallsBeside(sessions, client, now)


async def enriched(snapshot: Snapshot, calls: CallsBeside, *, grace_s: float = GRACE_S) -> Snapshot:
    """The snapshot with what the web told in time, as far as it is of the same person.

    Another person's session adds nothing; where it is not known whose it is, title and month are shown, not counted.
    """
    told = await calls.told(grace_s)
    if told is None or told.binding.region.id != snapshot.region:
        return snapshot
    theirs, ours = identity_of(told.binding), snapshot.identity
    if theirs is None or ours is None:
        return _shown_only(snapshot, told)
    if theirs != ours:
        return msgspec.structs.replace(snapshot, web_identity="other")
    return msgspec.structs.replace(_merged(snapshot, told), web_identity="same")


def identity_of(binding: Binding) -> str | None:
    """The digest of the person that a token names, None where it names none."""
    subject = claims_of(binding.secret).subject
    return holder_digest(binding.plan.id, subject) if subject else None


def _merged(snapshot: Snapshot, told: Told | None) -> Snapshot:
    if told is None:
        return snapshot
    found = _findings(told, snapshot.fetched_at)
    own = [reading for window in snapshot.windows for reading in window.readings]
    own_parts = {window.id: window.parts for window in snapshot.windows if window.parts}
    windows = derive_windows([*own, *found.readings], snapshot.fetched_at, {**found.parts, **own_parts})
    has_month = any(window.id == naming.MONTH for window in windows)
    return msgspec.structs.replace(
        snapshot,
        windows=windows,
        loose_parts=() if has_month else snapshot.loose_parts,
        plan_title=found.title or snapshot.plan_title,
        extra_usage=snapshot.extra_usage or found.wallet,
        drift=(*snapshot.drift, *found.drift),
        unknown_fields=(*snapshot.unknown_fields, *found.unknown),
    )


def _shown_only(snapshot: Snapshot, told: Told) -> Snapshot:
    """Title and month of somebody, told as the web's; a month so told does not block."""
    told_there = _findings(told, snapshot.fetched_at)
    months = [msgspec.structs.replace(r, origin="web") for r in told_there.readings if r.window == naming.MONTH]
    has_month = any(window.id == naming.MONTH for window in snapshot.windows)
    found = () if has_month else derive_windows(months, snapshot.fetched_at)
    shown = tuple(msgspec.structs.replace(window, is_reliable=False) for window in found)
    return msgspec.structs.replace(
        snapshot,
        windows=_in_order((*snapshot.windows, *shown)),
        plan_title=snapshot.plan_title or told_there.title,
        web_identity="unknown",
    )


def _findings(told: Told, at: datetime) -> _Findings:
    found: list[web.WebFindings] = []
    if told.stats is not None:
        found.append(web.of_stats(told.stats, at, told.binding.region.currency))
    if told.subscription is not None:
        found.append(web.of_subscription(told.subscription, at))
    parts: dict[str, tuple[WindowPart, ...]] = {}
    for one in reversed(found):
        parts |= one.found.parts
    return _Findings(
        readings=[reading for one in found for reading in one.found.readings],
        parts=parts,
        title=next((one.title for one in found if one.title), None),
        wallet=next((one.wallet for one in found if one.wallet), None),
        drift=tuple(name for one in found for name in one.found.drift),
        unknown=tuple(name for one in found for name in one.unknown),
    )


def _in_order(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    return tuple(sorted(windows, key=lambda window: window.span_s or float("inf")))
