"""The one summary comment of a pull request, cut at the forge's limit with the least important part first."""

from collections.abc import Sequence

from perilune.core.messages import Voice
from perilune.patches.finding import Finding
from perilune.review.coverage import CoverageState
from perilune.review.outputs.harmless import harmless_line
from perilune.review.outputs.markdown import code
from perilune.review.outputs.wording import config_lines, files_line, place, severity_word, summary_line, unplaced_lines
from perilune.review.prompt.escapes import one_line
from perilune.review.publish.markers import SUMMARY
from perilune.review.rank import MOST_FOLDED
from perilune.review.result import ReviewResult

_MOST_GAPS = 100


def summary_text(
    result: ReviewResult,
    voice: Voice,
    *,
    limit: int,
    demoted: Sequence[tuple[Finding, str]] = (),
    carried: Sequence[Finding] = (),
    fixed: Sequence[str] = (),
) -> str:
    """The summary. `demoted` are findings that could not be put on their line, with the forge's words."""
    moved = {finding.id for finding, _ in demoted}
    inline = [finding for finding in result.inline if finding.id not in moved]
    sections = [
        [f"**{summary_line(result, voice)}**", files_line(result, voice)],
        [_row(finding, voice) for finding in inline],
        [_demoted(finding, words, voice) for finding, words in demoted],
        [voice.say("publish.fixed", title=harmless_line(title)) for title in fixed],
        [voice.say("publish.carried", count=len(carried))] if carried else [],
        [
            _status(result, voice),
            *(harmless_line(line) for line in config_lines(result, voice)),
            *unplaced_lines(result, voice),
        ],
        _details(voice.say("review.folded_short", count=len(result.folded)), _folded(result, moved, voice)),
        _details(voice.say("publish.coverage"), _coverage(result)),
        [_cost(result, voice), voice.say("publish.again")],
    ]
    # The least important goes first: how to run again and cost stay, coverage and folded ones give way.
    for victim in (7, 6, 3, 2, 1):
        text = _joined(sections)
        if len(text) <= limit:
            return text
        sections[victim] = [voice.say("publish.cut")] if sections[victim] else []
    return _joined(sections)[:limit]


def _joined(sections: Sequence[Sequence[str]]) -> str:
    parts = ["\n".join(part for part in section if part) for section in sections]
    return "\n\n".join([SUMMARY, *(part for part in parts if part)]) + "\n"


def _row(finding: Finding, voice: Voice) -> str:
    title = harmless_line(one_line(finding.title, 200))
    return f"- {severity_word(finding.severity, voice)} {code(place(finding.anchor))} {title}"


def _demoted(finding: Finding, words: str, voice: Voice) -> str:
    said = f" ({code(one_line(words, 160))})" if words else ""
    return f"{_row(finding, voice)}{said}\n  {harmless_line(one_line(finding.body, 600))}"


def _folded(result: ReviewResult, moved: set[str], voice: Voice) -> list[str]:
    folded = [finding for finding in result.folded if finding.id not in moved]
    rows = [f"{_row(finding, voice)} ({finding.verification.state})" for finding in folded[:MOST_FOLDED]]
    more = len(folded) - MOST_FOLDED
    return [*rows, voice.say("review.more", count=more)] if more > 0 else rows


def _coverage(result: ReviewResult) -> list[str]:
    gaps = [item for item in result.coverage if item.state is not CoverageState.REVIEWED]
    rows = [f"- {code(item.path)} {item.state.value} ({item.reason})" for item in gaps[:_MOST_GAPS]]
    counts = ", ".join(f"{state.value} {result.count(state)}" for state in CoverageState if result.count(state))
    return [counts, "", *rows] if counts else []


def _status(result: ReviewResult, voice: Voice) -> str:
    word = voice.say(f"publish.status.{result.status.value}")
    if result.retry_at is None:
        return word
    return f"{word} {voice.say('publish.until', until=result.retry_at)}"


def _cost(result: ReviewResult, voice: Voice) -> str:
    plan = result.plan
    model = next((entry.model for entry in result.usage.attempts if entry.outcome == "ok"), None)
    model = model or (plan.slot.model if plan is not None and plan.slot is not None else None)
    words = [voice.say("publish.model", model=code(model))] if model else []
    for window in result.estimate.windows:
        if window.before is not None and window.after is not None:
            before, after = (f"{float(share) * 100:.1f}%" for share in (window.before, window.after))
            words.append(voice.say("publish.window", window=window.id, before=before, after=after))
    return " · ".join(words)


def _details(title: str, rows: Sequence[str]) -> list[str]:
    return ["<details>", f"<summary>{title}</summary>\n", *rows, "\n</details>"] if rows else []
