"""Errors and names of windows, put into words for a document."""

from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from perilune.core.errors import Problem
from perilune.core.instants import parse_instant
from perilune.core.messages import Voice, message
from perilune.core.money import Money
from perilune.quota.balance import deficit
from perilune.quota.document import ErrorDocument
from perilune.quota.drift import lost_windows
from perilune.quota.held import Known
from perilune.quota.refusals import code_of
from perilune.quota.snapshot import Balance, ReadFailure, Refusal, Snapshot, SourceTry, Window
from perilune.quota.sources import REFUSED
from perilune.quota.verdict import Verdict

_CLOCK_NOTE_S = 300


def percent_used(ratio: Decimal) -> str:
    """`69%`: the whole percent below, `<1%` between 0 and 1; above 100 as it is."""
    whole = int((ratio * 100).to_integral_value(ROUND_FLOOR))
    return "<1%" if whole == 0 and ratio > 0 else f"{whole}%"


def percent_left(ratio: Decimal) -> int:
    """100 minus the percent shown as used (`<1%` counts as 1), so that both add up; never below 0."""
    whole = int((ratio * 100).to_integral_value(ROUND_FLOOR))
    return max(100 - (1 if whole == 0 and ratio > 0 else whole), 0)


def window_word(window_id: str, label: str, voice: Voice) -> str:
    """How a window is called in a line of text."""
    return voice.say(f"windows.{window_id}") if message("en", f"windows.{window_id}") else label


def error_document(problem: Problem, voice: Voice, count: int = 1) -> ErrorDocument:
    """A problem as documents carry it; `count` failures in a row choose the words of its shortest form."""
    words = voice.explain(problem)
    return ErrorDocument(
        code=problem.code,
        message=words.what,
        why=words.why,
        fix=list(words.fix),
        retry_at=problem.retry_at,
        account=problem.account,
        brief=_brief(problem, voice, count),
    )


def failure_problem(failure: ReadFailure, known: Known) -> Problem:
    """A failed read as a problem, with since when and how often."""
    facts: dict[str, object] = {
        "vendor": known.vendor,
        "console": known.console,
        **failure.facts,
        "since": failure.since or failure.at,
        "count": failure.count,
    }
    if "expired_at" in failure.facts:
        facts["expired_at"] = parse_instant(failure.facts["expired_at"])
    return Problem(
        code=failure.code,
        variant=failure.variant or "since",
        facts=facts,
        words=failure.words,
        request_id=failure.request_id,
        retry_at=failure.retry_at,
        account=known.name,
    )


def block_problem(
    verdict: Verdict,
    windows: tuple[Window, ...],
    balance: Balance | None,
    refusal: Refusal | None,
    known: Known,
    voice: Voice,
    other_account: str | None,
) -> Problem | None:
    """Why an account cannot be used, as a problem; None where no window or balance blocks it."""
    common = {"console": known.console, "vendor": known.vendor, "other_account": other_account}
    facts = {name: value for name, value in common.items() if value}
    match verdict.blocked_by:
        case None | "credential":
            return None
        case "membership":
            return Problem(code="PL-402-MEMBER", facts=facts, account=known.name)
        case "balance":
            return _empty_balance(balance, facts, known)
        case "quota":
            return _unexplained(verdict, windows, refusal, facts, known, voice)
        case window_id:
            return _spent_window(window_id, verdict, windows, refusal, facts, known, voice)


def notes_of(snapshot: Snapshot, known: Known, host: str) -> list[Problem]:
    """What was odd about a reading that is shown all the same."""
    notes = []
    if snapshot.drift:
        notes.append(_partly(snapshot, known))
    if snapshot.web_identity in ("other", "unknown"):
        variant = "unknown" if snapshot.web_identity == "unknown" else ""
        notes.append(Problem(code="PL-IDENTITY", variant=variant, account=known.name))
    notes += [_refused(one, known) for one in snapshot.tried if one.code in REFUSED and one.host is not None]
    if abs(snapshot.clock_skew_s) > _CLOCK_NOTE_S:
        facts = {"minutes": round(abs(snapshot.clock_skew_s) / 60), "host": host}
        variant = "ahead" if snapshot.clock_skew_s < 0 else ""
        notes.append(Problem(code="PL-CLOCK", variant=variant, facts=facts, account=known.name))
    return notes


def _refused(one: SourceTry, known: Known) -> Problem:
    """A source that was refused before another one answered."""
    facts: dict[str, object] = {"host": one.host, "since": one.since, "console": known.console}
    variant = "since" if one.code == "PL-401-KEY" and one.since else "refused"
    return Problem(code=one.code, variant=variant, facts=facts, account=known.name)


def _partly(snapshot: Snapshot, known: Known) -> Problem:
    understood = sum(1 for window in snapshot.windows if window.used_ratio is not None)
    lost = lost_windows(snapshot.drift)
    facts = {
        "vendor": known.vendor,
        "fields": ", ".join(snapshot.drift),
        "understood": understood,
        "total": understood + lost,
    }
    return Problem(code="PL-PARSE-PART", variant="" if lost else "fields", facts=facts, account=known.name)


def _empty_balance(balance: Balance | None, facts: dict[str, str], known: Known) -> Problem:
    if balance is None:
        return Problem(code="PL-BALANCE-EMPTY", variant="unread", facts=facts, account=known.name)
    money: dict[str, object] = {"available": Money(balance.available, balance.currency)}
    variant = ""
    if balance.cash is not None:
        money["cash"] = Money(balance.cash, balance.currency)
        variant = "owed" if deficit(balance) is not None else "cash"
    return Problem(code="PL-BALANCE-EMPTY", variant=variant, facts={**facts, **money}, account=known.name)


def _unexplained(
    verdict: Verdict,
    windows: tuple[Window, ...],
    refusal: Refusal | None,
    facts: dict[str, str],
    known: Known,
    voice: Voice,
) -> Problem:
    read = [window for window in windows if window.used_ratio is not None]
    shown = voice.say("windows.comma").join(_figure(window, voice) for window in read)
    return Problem(
        code="PL-QUOTA-UNKNOWN",
        variant="" if read else "unread",
        facts={**facts, "windows": shown},
        words=refusal.words if refusal else None,
        retry_at=verdict.until,
        account=known.name,
    )


def _spent_window(
    window_id: str,
    verdict: Verdict,
    windows: tuple[Window, ...],
    refusal: Refusal | None,
    facts: dict[str, str],
    known: Known,
    voice: Voice,
) -> Problem:
    label = next((window.label for window in windows if window.id == window_id), window_id)
    word = window_word(window_id, label, voice)
    code = code_of(window_id)
    told: dict[str, object] = {
        "window": word if code == "PL-QUOTA-WINDOW" else voice.say("windows.quota", window=word),
        "other": _unused(window_id, windows, voice),
    }
    if verdict.until is not None:
        told |= {"back": voice.clock(verdict.until, round_up=True), "wait": verdict.until - voice.now}
    return Problem(
        code=code,
        variant="untimed" if verdict.until is None else "",
        facts={**facts, **told},
        words=refusal.words if refusal else None,
        retry_at=verdict.until,
        account=known.name,
    )


def _unused(spent_id: str, windows: tuple[Window, ...], voice: Voice) -> str:
    """The sentence on the longest other reported window that is not full; empty where there is none."""
    others = [w for w in windows if w.id != spent_id and w.used_ratio is not None and w.used_ratio < 1]
    longest = max(others, key=lambda window: window.span_s or 0, default=None)
    if longest is None or longest.used_ratio is None:
        return ""
    word = voice.say("windows.quota", window=window_word(longest.id, longest.label, voice))
    return voice.say("windows.unused", window=word, percent=percent_left(longest.used_ratio))


def _figure(window: Window, voice: Voice) -> str:
    ratio = window.used_ratio or Decimal(0)
    return voice.say("windows.used", window=window_word(window.id, window.label, voice), percent=percent_used(ratio))


def _brief(problem: Problem, voice: Voice, count: int) -> str | None:
    variants = (f".{problem.variant}" if problem.variant else "", ".many" if count > 1 else "", "")
    for variant in variants:
        message_id = f"brief.{problem.code}{variant}"
        if message("en", message_id) is None:
            continue
        try:
            return voice.say(message_id, **{"account": problem.account or "", **problem.facts})
        except KeyError:
            continue
    return None


def moment(at: datetime | None, voice: Voice) -> str | None:
    """A moment as a clock, None where it is not known."""
    return None if at is None else voice.clock(at)
