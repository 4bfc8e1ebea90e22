"""Checks a proposed replacement against the file it is for. Pure: applying it and re-parsing come after."""

import re
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from perilune.patches.finding import Anchor, Method, Proposal
from perilune.patches.indent import fit_indent
from perilune.patches.model import Side
from perilune.patches.scene import normalise

MOST_LINES = 20

_ELLIPSIS = re.compile(
    r"^\s*(?:(?://|#|/\*|<!--|--)?\s*(?:\.{3}|…).*|(?://|#|/\*|<!--|--)\s*(?:existing|rest of|remaining|same).*)$"
)
_PROSE = re.compile(r"^\s*[A-Z][a-z]+(?: [a-z',-]+){4,}[.:]?\s*$")
_REMOVAL = re.compile(r"(?i)\b(?:remove|delete|drop|unused|dead code|redundant|unnecessary)|删除|移除|去掉|多余")
_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {close: opening for opening, close in _OPENING.items()}


class Demotion(StrEnum):
    """Why a replacement is shown as prose instead of a suggestion."""

    OFF_BY_SETTING = "off"
    OLD_SIDE = "old_side"
    NOT_ANCHORED = "not_anchored"
    RANGE = "range_mismatch"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    NOOP = "noop"
    TRUNCATED = "truncated"
    PROSE = "prose"
    DIFF_MARKS = "diff_marks"
    REPEATS = "repeats_neighbour"
    BALANCE = "unbalanced"
    INDENT = "indent"
    NAMES = "unknown_names"
    NO_CONTENT = "no_content"
    MARKER = "marker"
    DOES_NOT_APPLY = "does_not_apply"
    DOES_NOT_PARSE = "does_not_parse"
    OVERLAP = "overlap"


class Replacement(Struct, frozen=True):
    """Checked lines that take the place of lines `start` to `end` (from 1, inclusive). Lines carry no ending."""

    lines: tuple[str, ...]
    start: int
    end: int


def check(proposal: Proposal, anchor: Anchor, head: Sequence[str], words: str) -> Replacement | Demotion:
    """The replacement fit for the file, or why it is not. `words` is the finding's text, `head` the file's lines."""
    if anchor.side is Side.OLD:
        return Demotion.OLD_SIDE
    if anchor.start_line is None or anchor.end_line is None or anchor.method in (Method.NONE, Method.DIFF_INDEX):
        return Demotion.NOT_ANCHORED
    start, end = anchor.start_line, anchor.end_line
    old = [line.removesuffix("\r") for line in head[start - 1 : end]]
    new = _lines_of(proposal.replacement)
    reason = _misfit(proposal, anchor, old) or _bad_text(old, new, words)
    if reason is not None:
        return reason
    fitted = fit_indent(old, new, head)
    if fitted is None:
        return Demotion.INDENT
    reason = _bad_surroundings(head, start, end, old, fitted)
    return reason or Replacement(tuple(fitted), start, end)


def _lines_of(replacement: str) -> list[str]:
    lines = replacement.replace("\r\n", "\n").split("\n")
    if lines and not lines[-1].strip():
        lines.pop()
    return lines


def _misfit(proposal: Proposal, anchor: Anchor, old: Sequence[str]) -> Demotion | None:
    """Whether the replaced range is the anchor's."""
    if len(old) != (anchor.end_line or 0) - (anchor.start_line or 0) + 1:
        return Demotion.NO_CONTENT
    quoted = proposal.replace_quote or anchor.quote
    wanted = [normalise(line) for line in quoted.strip("\r\n").split("\n")]
    return None if wanted == [normalise(line) for line in old] else Demotion.RANGE


def _bad_text(old: Sequence[str], new: Sequence[str], words: str) -> Demotion | None:
    if not any(line.strip() for line in new):
        return None if _REMOVAL.search(words) else Demotion.EMPTY
    if len(new) > MOST_LINES:
        return Demotion.TOO_LONG
    if [normalise(line) for line in new] == [normalise(line) for line in old] and _indents(new) == _indents(old):
        return Demotion.NOOP
    if any(_ELLIPSIS.match(line) for line in new if line not in old):
        return Demotion.TRUNCATED
    if _has_diff_marks(old, new):
        return Demotion.DIFF_MARKS
    if any(_PROSE.match(line) for line in new) and not any(_PROSE.match(line) for line in old):
        return Demotion.PROSE
    return None


def _indents(lines: Sequence[str]) -> set[int]:
    """The depths of lines against the shallowest of them."""
    depths = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    return {depth - min(depths) for depth in depths}


def _has_diff_marks(old: Sequence[str], new: Sequence[str]) -> bool:
    if any(line.startswith(("@@ ", "diff --git ", "+++ ", "--- ")) for line in new):
        return True
    marked = [line.startswith(("+", "-")) for line in new if line.strip()]
    return all(marked) and not any(line.startswith(("+", "-")) for line in old)


def _bad_surroundings(
    head: Sequence[str],
    start: int,
    end: int,
    old: Sequence[str],
    new: Sequence[str],
) -> Demotion | None:
    above = normalise(head[start - 2]) if start > 1 else ""
    below = normalise(head[end]) if end < len(head) else ""
    if new and _repeats(new[0], above, old[0]):
        return Demotion.REPEATS
    if new and _repeats(new[-1], below, old[-1]):
        return Demotion.REPEATS
    if balance(old) != balance(new) and _imbalance([*head[: start - 1], *new, *head[end:]]) >= _imbalance(head):
        return Demotion.BALANCE
    return None


def _repeats(line: str, neighbour: str, original: str) -> bool:
    return bool(neighbour) and normalise(line) == neighbour != normalise(original)


def balance(lines: Sequence[str]) -> tuple[int, int, int, int, int]:
    """Open minus closed brackets of three kinds, and whether double quotes and backticks are odd."""
    counts = dict.fromkeys("([{", 0)
    quotes = {'"': 0, "`": 0}
    for line in lines:
        for char in line:
            if char in counts:
                counts[char] += 1
            elif char in _CLOSING:
                counts[_CLOSING[char]] -= 1
            elif char in quotes:
                quotes[char] ^= 1
    return counts["("], counts["["], counts["{"], quotes['"'], quotes["`"]


def _imbalance(lines: Sequence[str]) -> int:
    return sum(abs(value) for value in balance(lines))
