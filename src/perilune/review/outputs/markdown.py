"""The summary of a review in Markdown. Nothing in it is live: no mention, link, image, or HTML but `<details>`."""

import re

from perilune.core.messages import Voice
from perilune.patches.finding import Finding
from perilune.review.coverage import CoverageState
from perilune.review.outputs.harmless import harmless, harmless_line
from perilune.review.outputs.wording import files_line, place, severity_word, summary_line, unplaced_lines
from perilune.review.prompt.escapes import one_line, visible
from perilune.review.rank import MOST_FOLDED
from perilune.review.result import ReviewResult

_MOST_GAPS = 50


def fence(code: str, language: str = "") -> str:
    """Code in a fence one backtick longer than any run inside, at least three."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    marks = "`" * max(longest + 1, 3)
    return f"{marks}{language}\n{code}\n{marks}"


def markdown(result: ReviewResult, voice: Voice) -> str:
    """The summary: findings, folded ones, what was not covered, what it cost."""
    parts = [f"**{summary_line(result, voice)}**", files_line(result, voice)]
    parts += [_finding(finding, voice) for finding in result.inline]
    if result.folded:
        rows = [_row(finding, voice) for finding in result.folded[:MOST_FOLDED]]
        more = len(result.folded) - MOST_FOLDED
        rows += [voice.say("review.more", count=more)] if more > 0 else []
        parts.append(_details(voice.say("review.folded_short", count=len(result.folded)), rows))
    parts += unplaced_lines(result, voice)
    gaps = [item for item in result.coverage if item.state is not CoverageState.REVIEWED]
    if gaps:
        rows = [f"- {code(item.path)} {item.state.value} ({item.reason})" for item in gaps[:_MOST_GAPS]]
        rows += [voice.say("review.more", count=len(gaps) - _MOST_GAPS)] if len(gaps) > _MOST_GAPS else []
        parts.append(_details(voice.say("review.not_read", count=len(gaps)), rows))
    return "\n\n".join(parts) + "\n"


def _finding(finding: Finding, voice: Voice) -> str:
    title = harmless_line(finding.title)
    head = f"### {severity_word(finding.severity, voice)} · {code(place(finding.anchor))}\n**{title}**"
    parts = [head, harmless(finding.body)]
    if finding.suggestion is not None:
        old = [f"-{visible(line)}" for line in finding.anchor.quote.split("\n")]
        new = [f"+{visible(line)}" for line in finding.suggestion.replacement.split("\n")]
        parts.append(fence("\n".join([*old, *new]), "diff"))
    return "\n\n".join(part for part in parts if part)


def _row(finding: Finding, voice: Voice) -> str:
    title = harmless_line(one_line(finding.title, 200))
    head = f"- {severity_word(finding.severity, voice)} {code(place(finding.anchor))}"
    return f"{head} {title} ({finding.verification.state})"


def _details(title: str, rows: list[str]) -> str:
    return "\n".join(("<details>", f"<summary>{title}</summary>", "", *rows, "", "</details>"))


def code(text: str) -> str:
    """A name as a code span, whatever it holds."""
    shown = one_line(text, 300)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    marks = "`" * (longest + 1)
    return f"{marks} {shown} {marks}" if longest else f"`{shown}`"
