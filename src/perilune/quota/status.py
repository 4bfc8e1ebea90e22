"""The status document: everything known of all accounts, judged at one moment. Pure over what is handed in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from perilune.core.errors import Problem
from perilune.core.instants import whole_second
from perilune.core.messages import Voice
from perilune.quota import balance as money
from perilune.quota import document as doc
from perilune.quota.held import Held, Known, StatusSettings
from perilune.quota.pace import pace_of
from perilune.quota.refusals import contradicted, in_force
from perilune.quota.resets import as_of
from perilune.quota.snapshot import Refusal, Window
from perilune.quota.state import account_state, balance_state, is_outdated, window_state
from perilune.quota.telling import (
    count_number,
    effective_document,
    extra_usage_document,
    limits_document,
    money_document,
    money_or_none,
    pace_document,
    ratio_number,
    reading_document,
    second_of,
)
from perilune.quota.verdict import Verdict, verdict_of
from perilune.quota.wording import block_problem, error_document, failure_problem, notes_of
from perilune.quota.workdays import WorkWeek

CREDENTIAL_CODES = frozenset({"PL-401-KEY", "PL-401-HOST", "PL-COOKIE-EXPIRED"})
MEMBERSHIP_CODE = "PL-402-MEMBER"


class Judged(Struct, frozen=True, kw_only=True):
    """One account on the way to its document, seen at `now` of its server."""

    known: Known
    held: Held
    now: datetime
    windows: tuple[Window, ...]
    refusals: tuple[Refusal, ...]
    verdict: Verdict
    is_old: bool


def build_status(
    accounts: Sequence[tuple[Known, Held]],
    now: datetime,
    voice: Voice,
    settings: StatusSettings,
    general: Sequence[Problem] = (),
) -> doc.StatusDocument:
    """The document of all accounts in the order given. `general` are errors that belong to no account."""
    if len({h.snapshot.balance.currency for _, h in accounts if h.snapshot and h.snapshot.balance}) > 1:
        voice = msgspec.structs.replace(voice, with_currency_codes=True)
    judged = [judge(known, held, now) for known, held in accounts]
    told = [_account(one, judged, voice, settings) for one in judged]
    failing = [
        account.error for one, account in zip(judged, told, strict=True) if account.error and _fails(one, account)
    ]
    return doc.StatusDocument(
        generated_at=second_of(now),
        accounts=told,
        errors=[*(error_document(problem, voice) for problem in general), *failing],
        sandbox=settings.is_sandbox,
    )


def judge(known: Known, held: Held, now: datetime) -> Judged:
    """What is held of an account, judged at `now`: windows as of then, refusals in force, the verdict."""
    snapshot = held.snapshot
    server_now = now + timedelta(seconds=snapshot.clock_skew_s) if snapshot else now
    windows = as_of(snapshot.windows, server_now) if snapshot else ()
    refusals = in_force(held.refusals, windows, server_now)
    windows = contradicted(windows, refusals)
    verdict = verdict_of(
        windows=windows,
        balance=snapshot.balance if snapshot else None,
        now=server_now,
        refusals=refusals,
        trouble=_trouble(held),
        extra_usage=snapshot.extra_usage if snapshot else None,
        is_extra_usage_allowed=known.is_extra_usage_allowed,
    )
    interval_s = max(snapshot.poll_s if snapshot else 0, known.interval_s)  # seldom is not badly for a quiet account
    is_old = snapshot is not None and is_outdated(snapshot.fetched_at, server_now, interval_s, held.failure)
    return Judged(
        known=known, held=held, now=server_now, windows=windows, refusals=refusals, verdict=verdict, is_old=is_old
    )


def _trouble(held: Held) -> Literal["credential", "membership"] | None:
    code = held.failure.code if held.failure else None
    if code in CREDENTIAL_CODES:
        return "credential"
    return "membership" if code == MEMBERSHIP_CODE else None


def _account(one: Judged, everyone: Sequence[Judged], voice: Voice, settings: StatusSettings) -> doc.AccountDocument:
    snapshot, known = one.held.snapshot, one.known
    voice = msgspec.structs.replace(voice, now=one.now)
    windows = [_window(one, window, settings) for window in one.windows]
    balance, of_balance = _balance(one, settings)
    state = account_state(
        one.verdict,
        [*(window.state for window in windows), *of_balance],
        has_snapshot=snapshot is not None,
        has_failure=one.held.failure is not None,
        is_old=one.is_old,
    )
    error, notes = _problems(one, everyone, voice, settings)
    fetched_at = whole_second(snapshot.fetched_at) if snapshot else None
    return doc.AccountDocument(
        name=known.name,
        plan=known.plan,
        region=known.region,
        plan_title=snapshot.plan_title if snapshot else None,
        source=snapshot.source if snapshot else known.source,
        state=state,
        fetched_at=fetched_at,
        age_s=None if fetched_at is None else max(int((second_of(one.now) - fetched_at).total_seconds()), 0),
        windows=windows,
        balance=balance,
        effective=effective_document(one.verdict),
        limits=limits_document(known, snapshot),
        error=error,
        extra_usage=extra_usage_document(snapshot),
        fingerprint_shared_with=_sharing(one, everyone),
        notes=notes,
        origin=snapshot.origin if snapshot else None,
        took_ms=snapshot.took_ms if snapshot else None,
    )


def _problems(
    one: Judged, everyone: Sequence[Judged], voice: Voice, settings: StatusSettings
) -> tuple[doc.ErrorDocument | None, list[doc.ErrorDocument]]:
    """The error that counts and the notes beside it: a refused credential, then what blocks, then a failed read."""
    snapshot, failure = one.held.snapshot, one.held.failure
    refusal = max((r for r in one.refusals if r.kind == "quota"), key=lambda r: r.at, default=None)
    block = block_problem(
        one.verdict,
        one.windows,
        snapshot.balance if snapshot else None,
        refusal,
        one.known,
        voice,
        _other(one, everyone),
    )
    host = (snapshot.origin or "").partition("/")[0] if snapshot else ""
    notes = [error_document(note, voice) for note in (notes_of(snapshot, one.known, host) if snapshot else ())]
    failed = None
    if failure is not None:
        failed = error_document(failure_problem(failure, one.known), voice, failure.count)
    is_shown = settings.is_verbose or settings.shows_first_failure or _counts(one)
    shown = failed if is_shown else None
    if shown is not None and (block is None or _trouble(one.held)):
        return shown, notes
    if shown is not None:
        notes.append(shown)
    return (None if block is None else error_document(block, voice)), notes


def _fails(one: Judged, account: doc.AccountDocument) -> bool:
    """Whether the account's error is a read that failed, or that it cannot be told at all."""
    failure = one.held.failure
    is_failure = account.error is not None and failure is not None and account.error.code == failure.code
    return account.state in ("error", "stale") or is_failure


def _counts(one: Judged) -> bool:
    """Whether a failed read is told without being asked for: not the first one after a success."""
    failure = one.held.failure
    return failure is not None and (
        one.held.snapshot is None or failure.count > 1 or one.is_old or bool(_trouble(one.held))
    )


def _other(one: Judged, everyone: Sequence[Judged]) -> str | None:
    usable = (other.known.name for other in everyone if other is not one and other.verdict.usable)
    return next(usable, None)


def _window(one: Judged, window: Window, settings: StatusSettings) -> doc.WindowDocument:
    snapshot = one.held.snapshot
    week = WorkWeek(frozenset(settings.work_days), settings.zone)
    pace = pace_of(window, snapshot.fetched_at, week, one.held.past) if snapshot else None
    is_refused = any(refusal.kind == "quota" and refusal.window == window.id for refusal in one.refusals)
    state = window_state(
        window, pace, one.now, is_refused=is_refused, is_old=one.is_old, high_ratio=settings.high_ratio
    )
    return doc.WindowDocument(
        id=window.id,
        label=window.label,
        span_s=window.span_s,
        used_ratio=ratio_number(window.used_ratio),
        used=count_number(window.used),
        limit=count_number(window.limit),
        remaining=count_number(window.remaining),
        unit=window.unit,
        resets_at=whole_second(window.resets_at),
        reliable=window.is_reliable,
        conflict=window.has_conflict,
        pace=pace_document(pace),
        state=state,
        parts=[doc.PartDocument(part.id, float(part.used_ratio)) for part in window.parts],
        readings=[reading_document(reading) for reading in window.readings] if settings.is_verbose else None,
    )


def _balance(one: Judged, settings: StatusSettings) -> tuple[doc.BalanceDocument | None, list[doc.State]]:
    snapshot = one.held.snapshot
    if snapshot is None or snapshot.balance is None:
        return None, []
    held = snapshot.balance
    burn = money.burn_per_day(one.held.balances, one.now, one.held.had_requests)
    days = money.days_left(held.available, burn)
    state = balance_state(held, days, is_old=one.is_old, floors=settings.balance_floor)
    told = doc.BalanceDocument(
        available=money_document(held.available, held.currency),
        voucher=money_or_none(held.voucher, held.currency),
        cash=money_or_none(held.cash, held.currency),
        deficit=money_or_none(money.deficit(held), held.currency),
        burn_per_day=money_or_none(burn, held.currency),
        days_left=None if days is None else float(days),
    )
    return told, [state]


def _sharing(one: Judged, everyone: Sequence[Judged]) -> list[str]:
    identity = one.held.snapshot.identity if one.held.snapshot else None
    if identity is None:
        return []
    others = ((other.known.name, other.held.snapshot) for other in everyone if other is not one)
    return [name for name, snapshot in others if snapshot is not None and snapshot.identity == identity]
