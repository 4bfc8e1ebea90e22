"""Words and figures that the texts for people share."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from perilune.core.messages import Voice
from perilune.patches.finding import Anchor, Finding, Severity
from perilune.quota.wording import percent_left, window_word
from perilune.review.coverage import CoverageItem, CoverageState
from perilune.review.plan.planner import Plan
from perilune.review.prompt.escapes import one_line
from perilune.review.result import ReviewResult
from perilune.review.settings import KODUS_FILE

_LONGEST_NAME = 200


def tokens_word(count: int) -> str:
    """`812`, `12.4k`, `3.1M`."""
    if count < 1_000:
        return str(count)
    size, unit = (1_000, "k") if count < 999_950 else (1_000_000, "M")
    return f"{count / size:.1f}".removesuffix(".0") + unit


def place(anchor: Anchor) -> str:
    """`src/api.py:14-19`, nothing hidden in the name."""
    name = one_line(anchor.path, _LONGEST_NAME) or "?"
    if anchor.start_line is None:
        return name
    span = f"{anchor.start_line}" if anchor.start_line == anchor.end_line else f"{anchor.start_line}-{anchor.end_line}"
    return f"{name}:{span}"


def counted(voice: Voice, message_id: str, count: int) -> str:
    """A count with its noun in the right number."""
    return voice.say(f"{message_id}_one" if count == 1 else f"{message_id}_many", count=count)


def files_line(result: ReviewResult, voice: Voice) -> str:
    """`12 files, +240 −38; 3 skipped (1 lock file, 2 generated)`."""
    added, removed = (sum(getattr(item, name) for item in result.coverage) for name in ("added", "removed"))
    line = voice.say(
        "review.files", files=counted(voice, "review.file", len(result.coverage)), added=added, removed=removed
    )
    skipped = [item for item in result.coverage if item.state is CoverageState.SKIPPED]
    if not skipped:
        return line
    return line + voice.say("review.skipped", count=len(skipped), reasons=reasons(skipped, voice))


def reasons(items: Sequence[CoverageItem], voice: Voice) -> str:
    """`1 lock file, 2 generated`, most first."""
    counts = Counter(item.reason or "other" for item in items)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return voice.say("review.comma").join(counted(voice, f"review.reason.{reason}", count) for reason, count in ordered)


def plan_line(plan: Plan, voice: Voice) -> str:
    """`Plan: 4 requests of work (5 h: 61 left), about 46k tokens.`"""
    account = plan.slot.account if plan.slot is not None else None
    return voice.say(
        "review.plan" if account else "review.plan_no_account",
        requests=counted(voice, "review.request", plan.estimate.requests),
        account=account or "",
        left=_left(plan, voice),
        tokens=tokens_word(plan.estimate.tokens_in + plan.estimate.tokens_out),
    )


def _left(plan: Plan, voice: Voice) -> str:
    window = plan.allowed.binding
    if window is None:
        balance = plan.slot.balance if plan.slot is not None else None
        return voice.say("review.balance_left", balance=balance) if balance is not None else ""
    name = window_word(window.id, window.id, voice)
    if window.unit == "requests" and window.remaining is not None:
        return voice.say("review.window_left", window=name, left=int(window.remaining))
    if window.used_ratio is None:
        return ""
    return voice.say("review.window_left", window=name, left=f"{percent_left(window.used_ratio)}%")


def severities(findings: Sequence[Finding], voice: Voice) -> str:
    """`1 high, 1 medium`, worst first."""
    counts = Counter(finding.severity for finding in findings)
    parts = [
        voice.say("review.severity_count", count=counts[severity], severity=severity_word(severity, voice))
        for severity in Severity
        if counts[severity]
    ]
    return voice.say("review.comma").join(parts)


def severity_word(severity: Severity, voice: Voice) -> str:
    return voice.say(f"review.severity.{severity.value}")


def summary_line(result: ReviewResult, voice: Voice) -> str:
    """`2 findings (1 high, 1 medium) · 4 requests · 44.1k tokens · plan quota · 38 s`."""
    shown = result.findings
    found = counted(voice, "review.finding", len(shown)) if shown else voice.say("review.finding_none")
    if shown:
        found = voice.say("review.with_severities", findings=found, severities=severities(shown, voice))
    usage = result.usage
    parts = [found, counted(voice, "review.request", usage.requests)]
    if usage.reused_requests:
        parts.append(voice.say("review.reused", count=usage.reused_requests))
    parts.append(voice.say("review.tokens", tokens=_spent(result)))
    parts.append(voice.word(usage.cost) if usage.cost is not None else _unpriced(result, voice))
    parts.append(_took(result.seconds, voice))
    return " · ".join(parts)


def _unpriced(result: ReviewResult, voice: Voice) -> str:
    is_plan = result.plan is not None and result.plan.objective == "request"
    return voice.say("review.plan_quota" if is_plan else "review.cost_unknown")


def _spent(result: ReviewResult) -> str:
    usage = result.usage
    word = tokens_word(usage.tokens_in + usage.tokens_out)
    return word if usage.is_known else f"≥ {word}"


def _took(seconds: float, voice: Voice) -> str:
    if seconds >= 60:
        return voice.duration(timedelta(seconds=seconds))
    return voice.say("review.seconds", seconds=round(seconds))


def unplaced_lines(result: ReviewResult, voice: Voice) -> list[str]:
    """How many findings were left out because what they quote is not in the change."""
    count = sum(1 for entry in result.dropped if entry.reason in ("unanchored", "wrong_path"))
    if not count:
        return []
    return [voice.say("review.unplaced.one" if count == 1 else "review.unplaced", count=count)]


def config_lines(result: ReviewResult, voice: Voice) -> list[str]:
    """What is to be said of where the settings came from."""
    config = result.config
    lines = []
    if config.problem is not None:
        words = f"{config.problem.code}.what" + (f".{config.problem.variant}" if config.problem.variant else "")
        lines.append(voice.say("migration.defaults", problem=voice.say(words, **config.problem.facts)))
    if config.migrated is not None:
        lines.append(voice.say("migration.from", file=KODUS_FILE))
    if config.not_carried:
        lines.append(voice.say("migration.left", keys=", ".join(one_line(key, 80) for key in config.not_carried)))
    return lines
