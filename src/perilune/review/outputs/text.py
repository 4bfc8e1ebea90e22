"""The review for a terminal: findings by weight, then what was covered and what it cost."""

from collections.abc import Callable, Iterator, Sequence

from perilune.core.messages import Voice
from perilune.core.width import pad, width, wrap
from perilune.patches.finding import Finding, Suggestion, Verdict
from perilune.review.coverage import CoverageItem, CoverageState
from perilune.review.outputs.wording import (
    config_lines,
    counted,
    files_line,
    place,
    plan_line,
    reasons,
    severity_word,
    summary_line,
    tokens_word,
    unplaced_lines,
)
from perilune.review.prompt.escapes import one_line, visible
from perilune.review.rank import MOST_FOLDED
from perilune.review.result import ReviewResult

Paint = Callable[[str, str], str]

_SEVERITY = 8
_PLACE = 20
_MOST_ROWS = 60
_STYLES = {"critical": "error", "high": "error", "medium": "high", "low": "dim", "nit": "dim"}


def plain(text: str, _style: str) -> str:
    """No colour."""
    return text


def opening(result: ReviewResult, voice: Voice) -> list[str]:
    """What is said before the first paid call: the files, the plan, what was given up for it."""
    lines = [files_line(result, voice)]
    if result.plan is not None:
        lines.append(plan_line(result.plan, voice) + " " + voice.say("review.preview_stops"))
        lines += [voice.say(f"review.degraded.{step}") for step in result.plan.degraded]
        if result.plan.allowed.is_halved:
            lines.append(voice.say("review.stale"))
    lines += config_lines(result, voice)
    lines += result.config.migrated.splitlines() if result.config.migrated is not None else []
    if result.config.rules_changed_in_head:
        lines.append(voice.say("review.rules_changed"))
    return lines


def text(result: ReviewResult, voice: Voice, columns: int = 80, paint: Paint = plain, *, quotes: bool = False) -> str:
    """The answer for people. `quotes` shows the quoted code of every finding."""
    lines: list[str] = []
    for finding in result.inline:
        lines += _finding(finding, voice, columns, paint, quotes=quotes)
    lines += _folded(result, voice, columns)
    lines += [piece for line in unplaced_lines(result, voice) for piece in wrap(line, columns)]
    lines += _gaps(result, voice)
    lines.append(summary_line(result, voice))
    return "\n".join(lines)


def _finding(finding: Finding, voice: Voice, columns: int, paint: Paint, *, quotes: bool) -> list[str]:
    head = pad(severity_word(finding.severity, voice), _SEVERITY)
    where = pad(place(finding.anchor), _PLACE)
    indent = " " * _SEVERITY
    lines = _headed(head, where, one_line(finding.title, 200), columns, paint(head, _STYLES[finding.severity]))
    for paragraph in finding.body.split("\n"):
        lines += [indent + line for line in wrap(visible(paragraph), columns - _SEVERITY) if line]
    if quotes and finding.suggestion is None:
        lines += [f"{indent}| {visible(line)}" for line in finding.anchor.quote.split("\n") if finding.anchor.quote]
    if finding.suggestion is not None:
        lines += [indent + row for row in _diff(finding, finding.suggestion)]
    return lines


def _headed(head: str, where: str, title: str, columns: int, painted: str) -> list[str]:
    """Severity, place and title on one line where they fit, else the title below."""
    if width(head + where) + 2 + width(title) <= columns:
        return [f"{painted}{where} {title}"]
    return [f"{painted}{where.rstrip()}", *(" " * _SEVERITY + line for line in wrap(title, columns - _SEVERITY))]


def _diff(finding: Finding, suggestion: Suggestion) -> list[str]:
    old = finding.anchor.quote.split("\n")
    new = suggestion.replacement.split("\n") if suggestion.replacement else []
    return [f"- {visible(line)}" for line in old] + [f"+ {visible(line)}" for line in new]


def _folded(result: ReviewResult, voice: Voice, columns: int) -> list[str]:
    """Findings that were not confirmed, or are below the line: one line each."""
    folded = result.folded
    if not folded:
        return []
    unsure = sum(1 for finding in folded if finding.verification.state is not Verdict.CONFIRMED)
    lines = [voice.say("review.folded", count=len(folded), unsure=unsure)]
    for finding in folded[:MOST_FOLDED]:
        head = f"  {pad(severity_word(finding.severity, voice), _SEVERITY)}{place(finding.anchor)}"
        row = f"{head} {one_line(finding.title, 200)}"
        first, *rest = wrap(row, columns, hanging=_SEVERITY + 2)
        lines += [first, *(" " * (_SEVERITY + 2) + line for line in rest)]
    if len(folded) > MOST_FOLDED:
        lines.append(voice.say("review.more", count=len(folded) - MOST_FOLDED))
    return lines


def _gaps(result: ReviewResult, voice: Voice) -> list[str]:
    """Files that were not read, or not whole, by reason."""
    states = (CoverageState.PARTIAL, CoverageState.FAILED)
    gaps = [item for item in result.coverage if item.state in states or item.reason == "budget"]
    if not gaps:
        return []
    return [
        voice.say("review.not_covered", files=counted(voice, "review.file", len(gaps)), reasons=reasons(gaps, voice))
    ]


def preview(result: ReviewResult, voice: Voice) -> str:
    """The plan without a review: units, files by risk, what is left out, the estimate."""
    lines = list(_unit_rows(result, voice))
    skipped = [item for item in result.coverage if item.state is not CoverageState.REVIEWED]
    lines += list(_skipped_rows(skipped, voice))
    estimate = result.estimate
    cost = voice.word(estimate.cost) if estimate.cost is not None else None
    tokens = {"tokens_in": tokens_word(estimate.tokens_in), "tokens_out": tokens_word(estimate.tokens_out)}
    lines.append(voice.say("review.estimate", requests=counted(voice, "review.request", estimate.requests), **tokens))
    if cost is not None:
        lines.append(voice.say("review.estimate_cost", cost=cost))
    return "\n".join(lines)


def _unit_rows(result: ReviewResult, voice: Voice) -> Iterator[str]:
    left = _MOST_ROWS
    for unit in result.plan.units if result.plan is not None else ():
        files = counted(voice, "review.file", len(unit.files))
        yield voice.say("review.unit", unit=unit.id, files=files, tokens=tokens_word(unit.tokens))
        risks = [(*result.risks.get(name, (0, ())), name) for name in dict.fromkeys(unit.names)]
        for score, words, name in sorted(risks, key=lambda row: (-row[0], row[2]))[: max(left, 0)]:
            yield voice.say("review.risk", score=f"{score:3}", path=one_line(name, 120), words=", ".join(words))
        if len(risks) > max(left, 0):
            yield voice.say("review.more", count=len(risks) - max(left, 0))
        left -= len(risks)


def _skipped_rows(items: Sequence[CoverageItem], voice: Voice) -> Iterator[str]:
    for item in items[:_MOST_ROWS]:
        reason = voice.say(f"review.reason.{item.reason or 'other'}_one", count=1)
        yield voice.say("review.left_out", path=one_line(item.path, 120), reason=reason.removeprefix("1 "))
    if len(items) > _MOST_ROWS:
        yield voice.say("review.more", count=len(items) - _MOST_ROWS)
