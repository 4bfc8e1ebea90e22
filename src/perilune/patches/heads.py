"""Findings across heads: which of them is one that was said before, and what became of those that are not said again.

Pure. Nothing here looks at line numbers or times, so a rebase, a moved line or a reworded text does not post again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from perilune.patches.finding import Finding, Severity, State
from perilune.patches.fingerprint import anchor_text, are_similar, identify, similarity
from perilune.patches.model import Side


class Earlier(Struct, frozen=True, kw_only=True):
    """A finding as an earlier head left it, from the store or from a thread of ours.

    Shape: `path` is the one it was first posted under; where only the thread is left, `quote` and `symbol` are empty
    and `is_known` is False. `key` is whatever the caller finds it again by.
    """

    key: str
    fingerprint: str
    fingerprint_code: str
    path: str
    side: Side = Side.NEW
    quote: str = ""
    symbol: str = ""
    severity: Severity = Severity.MEDIUM
    words: str = ""
    state: State = State.POSTED
    has_human_reply: bool = False
    is_resolved: bool = False
    is_known: bool = True

    @property
    def is_open(self) -> bool:
        return self.state in (State.POSTED, State.CARRIED, State.NEW)


class Read(StrEnum):
    """How a file was looked at in this head."""

    WHOLE = "whole"
    NOT_WHOLE = "not_whole"
    GONE = "gone"
    UNCHANGED = "unchanged"  # no longer part of the change


class Now(Struct, frozen=True, kw_only=True):
    """This head. `names` gives a path's earlier names; `read` and `stands` answer for a finding's present path.

    Shape: `stands(path, side, anchor)` tells whether these lines are still there, None where that is not known.
    """

    names: Mapping[str, Sequence[str]]
    read: Callable[[str], Read]
    stands: Callable[[str, Side, str], bool | None]


class Matched(Struct, frozen=True, kw_only=True):
    """A finding of this head and the earlier one it is, if any. `is_raised`: its severity is higher than it was."""

    finding: Finding
    earlier: Earlier | None = None
    state: State = State.NEW
    is_raised: bool = False


class Silent(Struct, frozen=True, kw_only=True):
    """An earlier finding that is not said again, where it stands now, and whether its thread may be resolved."""

    earlier: Earlier
    state: State
    may_resolve: bool = False


class AcrossHeads(Struct, frozen=True, kw_only=True):
    """What a head's findings are, in their order, and what became of the earlier ones not among them."""

    found: tuple[Matched, ...]
    silent: tuple[Silent, ...]


def across_heads(found: Sequence[Finding], earlier: Sequence[Earlier], now: Now) -> AcrossHeads:
    """Every finding of this head against every earlier one, matched one to one, best first."""
    pairs = _pairs(found, earlier, now)
    matched = tuple(_matched(finding, pairs.get(at)) for at, finding in enumerate(found))
    taken = {entry.key for entry in pairs.values()}
    current = _present_paths(now)
    silent = tuple(
        _silent(entry, current.get(entry.path, entry.path), now) for entry in earlier if entry.key not in taken
    )
    return AcrossHeads(found=matched, silent=silent)


class Suppression(Struct, frozen=True, kw_only=True):
    """A finding that a member of the repository has dismissed. Shape: `until` is the end of its memory."""

    fingerprint_code: str
    words: str
    until: datetime


def is_suppressed(finding: Finding, facts: Sequence[Suppression], at: datetime) -> bool:
    """Whether the like of a finding was dismissed in this repository and that is still remembered."""
    return any(
        fact.until > at
        and fact.fingerprint_code == finding.fingerprint_code
        and are_similar(words_of(finding), fact.words, same_code=True)
        for fact in facts
    )


def words_of(finding: Finding) -> str:
    """The text that findings are compared by."""
    return f"{finding.title} {finding.trigger}".strip()


Rule = Literal[1, 2, 3, 4, 5]


def _pairs(found: Sequence[Finding], earlier: Sequence[Earlier], now: Now) -> dict[int, Earlier]:
    """Pairs by the strongest rule first, within a rule by the most similar words."""
    ranked = sorted(_candidates(found, earlier, now))
    pairs: dict[int, Earlier] = {}
    taken: set[int] = set()
    for _rule, _is_fixed, _unlike, at, other in ranked:
        if at not in pairs and other not in taken:
            pairs[at] = earlier[other]
            taken.add(other)
    return pairs


def _candidates(
    found: Sequence[Finding], earlier: Sequence[Earlier], now: Now
) -> Iterator[tuple[Rule, bool, float, int, int]]:
    lone = _lone_codes(found, earlier, now)
    for at, finding in enumerate(found):
        prints = _prints(finding, now)
        for other, entry in enumerate(earlier):
            rule = _rule(finding, entry, prints, lone, now)
            if rule is not None:
                unlike = -similarity(words_of(finding), entry.words)
                yield rule, entry.state is State.FIXED, unlike, at, other


def _prints(finding: Finding, now: Now) -> dict[str, str]:
    """The fingerprints a finding has under its own path and under earlier names of it, by the one of its code."""
    prints = {finding.fingerprint_code: finding.fingerprint}
    anchor = finding.anchor
    for name in now.names.get(anchor.path, ()):
        identity = identify(name, anchor.quote, finding.symbol, finding.occurrence, finding.category)
        prints[identity.fingerprint_code] = identity.fingerprint
    return prints


def _rule(finding: Finding, entry: Earlier, prints: Mapping[str, str], lone: frozenset[str], now: Now) -> Rule | None:
    """The first rule by which two findings are one."""
    if entry.fingerprint in prints.values():
        return 1
    same_code = entry.fingerprint_code in prints
    if same_code and are_similar(words_of(finding), entry.words, same_code=True):
        return 2
    path = finding.anchor.path
    if entry.path == path or entry.path in now.names.get(path, ()):
        alike = are_similar(words_of(finding), entry.words, same_code=False)
        same_text = bool(entry.quote) and anchor_text(entry.quote) == anchor_text(finding.anchor.quote)
        if same_text and (alike or are_similar(words_of(finding), entry.words, same_code=True)):
            return 3
        if alike and entry.symbol and entry.symbol == finding.symbol:
            return 5
    return 4 if same_code and entry.fingerprint_code in lone else None


def _lone_codes(found: Sequence[Finding], earlier: Sequence[Earlier], now: Now) -> frozenset[str]:
    """Code that exactly one open finding stood on and exactly one stands on now: a reworded text is the same."""
    before: dict[str, int] = {}
    for entry in earlier:
        before[entry.fingerprint_code] = before.get(entry.fingerprint_code, 0) + entry.is_open
    after: dict[str, int] = {}
    for finding in found:
        for code in _prints(finding, now):
            after[code] = after.get(code, 0) + 1
    return frozenset(code for code, count in after.items() if count == 1 and before.get(code) == 1)


def _matched(finding: Finding, entry: Earlier | None) -> Matched:
    if entry is None:
        return Matched(finding=finding)
    match entry.state:
        case State.DISMISSED | State.SUPPRESSED:
            return Matched(finding=finding, earlier=entry, state=State.SUPPRESSED)
        case State.FIXED:
            return Matched(finding=finding, earlier=entry, state=State.NEW)
        case State.NEW | State.POSTED | State.CARRIED:
            is_raised = finding.severity.rank < entry.severity.rank
            return Matched(finding=finding, earlier=entry, state=State.CARRIED, is_raised=is_raised)


def _silent(entry: Earlier, path: str, now: Now) -> Silent:
    """What became of an earlier finding that nobody repeats: models are not repeatable, code is."""
    if not entry.is_open:
        return Silent(earlier=entry, state=entry.state)
    read = now.read(path)
    stands = False if read is Read.GONE else now.stands(path, entry.side, anchor_text(entry.quote))
    if read is not Read.GONE and (not entry.is_known or stands is None):
        return Silent(earlier=entry, state=State.POSTED)
    if stands:
        return Silent(earlier=entry, state=State.CARRIED)
    if read is Read.NOT_WHOLE:
        return Silent(earlier=entry, state=State.POSTED)
    may_resolve = not entry.has_human_reply and not entry.is_resolved
    return Silent(earlier=entry, state=State.FIXED, may_resolve=may_resolve)


def _present_paths(now: Now) -> dict[str, str]:
    return {name: path for path, names in now.names.items() for name in names}
