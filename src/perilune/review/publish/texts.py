"""Comments as they stand on a line: harmless text, a suggestion where the forge can take one over, our mark."""

from perilune.core.messages import Voice
from perilune.forges.contract.port import Place
from perilune.forges.contract.spec import ForgeSpec
from perilune.patches.finding import Finding
from perilune.patches.suggestion import MOST_LINES, Demotion
from perilune.review.outputs.harmless import harmless, harmless_line
from perilune.review.outputs.markdown import fence
from perilune.review.outputs.wording import severity_word
from perilune.review.prompt.escapes import one_line, visible
from perilune.review.publish.markers import finding_mark

_UNSHOWN = (None, "", Demotion.OFF_BY_SETTING, Demotion.NOOP, Demotion.EMPTY, Demotion.MARKER, Demotion.PROSE)


def comment_text(finding: Finding, place: Place, spec: ForgeSpec, voice: Voice) -> str:
    """The body of a finding's comment, its mark last and never cut."""
    mark = finding_mark(finding)
    parts = [_range_words(place, spec, voice), _title(finding, voice), harmless(finding.body)]
    if finding.trigger:
        parts.append(voice.say("publish.trigger", trigger=harmless_line(one_line(finding.trigger, 600))))
    parts.append(suggestion_text(finding, place, spec) or _demoted_code(finding))
    text = "\n\n".join(part for part in parts if part)
    return f"{text[: spec.body_limit - len(mark) - 2]}\n\n{mark}"


def _title(finding: Finding, voice: Voice) -> str:
    word = severity_word(finding.severity, voice)
    return f"**{word}** · {finding.category.value} · **{harmless_line(one_line(finding.title, 80))}**"


def _range_words(place: Place, spec: ForgeSpec, voice: Voice) -> str:
    """The range in words, for forges that show one line only."""
    if spec.has_ranges or not place.is_range or place.start is None or place.end is None:
        return ""
    is_old = place.side == "old"
    first, last = (spot.old if is_old else spot.new for spot in (place.start, place.end))
    return voice.say("publish.lines", first=first, last=last)


def _demoted_code(finding: Finding) -> str:
    """The code of a proposal that did not pass every check, as prose: nobody can commit it by a click."""
    proposal = finding.proposal
    if finding.suggestion is not None or proposal is None or finding.suggestion_note in _UNSHOWN:
        return ""
    lines = [visible(line) for line in proposal.replacement.rstrip("\n").split("\n")[:MOST_LINES]]
    return fence("\n".join(lines)) if any(line.strip() for line in lines) else ""


def suggestion_text(finding: Finding, place: Place, spec: ForgeSpec) -> str:
    """The checked replacement; as plain code where the place or the forge has no suggestions."""
    suggestion = finding.suggestion
    if suggestion is None:
        return ""
    code = suggestion.replacement
    span = (suggestion.start_line, suggestion.end_line)
    is_same = place.start is not None and place.end is not None and (place.start.new, place.end.new) == span
    if spec.suggestion == "none" or place.side == "old" or not is_same:
        return fence(code) if code else ""
    count = span[1] - span[0]
    word = "suggestion" if spec.suggestion == "plain" else f"suggestion:-{count}+0"
    return fence(code, word) if code else f"```{word}\n```"
