"""Which findings stand on their line, and in which order: a score, a cap, nothing left to chance."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from msgspec import structs

from perilune.patches.finding import Anchor, Category, Finding, Level, Method, Severity, State, Verdict, Votes

_WEIGHTS = {
    Severity.CRITICAL: 100,
    Severity.HIGH: 60,
    Severity.MEDIUM: 25,
    Severity.LOW: 8,
    Severity.NIT: 2,
}
_VERDICTS = {
    Verdict.CONFIRMED: Decimal(1),
    Verdict.SKIPPED: Decimal("0.7"),
    Verdict.UNSURE: Decimal("0.5"),
    Verdict.ERROR: Decimal("0.5"),
    Verdict.REFUTED: Decimal(0),
}
_METHODS = {
    Method.EXACT: Decimal(1),
    Method.NORMALISED: Decimal("0.97"),
    Method.DIFF_INDEX: Decimal("0.9"),
    Method.RELOCATED: Decimal("0.85"),
    Method.NONE: Decimal("0.5"),
}
_UNWANTED = (State.DISMISSED, State.SUPPRESSED)
_PER_PATTERN = 3
MOST_FOLDED = 50


def confidence(model: int, votes: Votes, verdict: Verdict, anchor: Anchor) -> Decimal:
    """How sure we are, 0 to 1: what the model says, tempered by votes, verdict and the way the place was found."""
    own = Decimal(min(max(model, 30), 95)) / 100
    agreement = Decimal("0.7") + Decimal("0.3") * votes.n / max(votes.of, 1)
    return (own * agreement * _VERDICTS[verdict] * _METHODS[anchor.method]).quantize(Decimal("0.01"))


def score(finding: Finding) -> Decimal:
    return _WEIGHTS[finding.severity] * finding.confidence


def order(findings: Sequence[Finding]) -> list[Finding]:
    """By score, then place, then words."""
    return sorted(findings, key=_key)


def _key(finding: Finding) -> tuple[Decimal, str, int, str, str]:
    anchor = finding.anchor
    return (-score(finding), anchor.path, anchor.start_line or 0, finding.title, finding.fingerprint)


def rank(findings: Sequence[Finding], least: Severity, max_inline: int) -> list[Finding]:
    """The findings in order, each marked inline or folded."""
    inline = 0
    patterns: Counter[tuple[Category, str]] = Counter()
    ranked: list[Finding] = []
    for finding in order(findings):
        if finding.state in _UNWANTED:
            ranked.append(structs.replace(finding, is_inline=False))
            continue
        pattern = (finding.category, finding.title.lower())
        never_cut = finding.category is Category.SECURITY and finding.severity is Severity.CRITICAL
        has_room = never_cut or (inline < max_inline and patterns[pattern] < _PER_PATTERN)
        is_inline = may_be_inline(finding, least) and has_room
        inline += is_inline
        patterns[pattern] += is_inline
        ranked.append(structs.replace(finding, is_inline=is_inline))
    return ranked


def may_be_inline(finding: Finding, least: Severity) -> bool:
    """Confirmed, placed, and of enough weight; findings of a rule need no weight."""
    is_heavy = finding.severity.at_least(least) or finding.category is Category.RULE
    is_placed = finding.anchor.level is not Level.PR
    return finding.verification.state is Verdict.CONFIRMED and is_heavy and is_placed
