"""Findings said more than once in one run become one: by overlapping places and similar words, without any model."""

from collections.abc import Sequence

from msgspec import Struct, structs

from perilune.patches.finding import Evidence, Finding, Severity, Votes
from perilune.patches.fingerprint import are_similar


class Voiced(Struct, frozen=True):
    """A finding and the vote that said it."""

    finding: Finding
    vote: int


class _Group:
    """Findings that say the same."""

    def __init__(self, first: Voiced, of: int) -> None:
        self.members = [first]
        self.of = of

    def takes(self, other: Voiced) -> bool:
        return any(says_the_same(member.finding, other.finding) for member in self.members)


def says_the_same(one: Finding, other: Finding) -> bool:
    """Whether two findings are one: overlapping anchors and similar texts."""
    if not one.anchor.overlaps(other.anchor):
        return False
    if not one.anchor.is_inline and one.anchor.quote != other.anchor.quote:
        return False
    same_code = one.fingerprint_code == other.fingerprint_code
    return are_similar(_words(one), _words(other), same_code=same_code)


def _words(finding: Finding) -> str:
    return f"{finding.title} {finding.trigger}"


def merge(voiced: Sequence[Voiced], votes: dict[str, int]) -> list[Finding]:
    """One finding for each group, in the order of their places. `votes` says how many were asked for a unit."""
    groups: list[_Group] = []
    for entry in sorted(voiced, key=_order):
        group = next((group for group in groups if group.takes(entry)), None)
        if group is None:
            groups.append(_Group(entry, votes.get(entry.finding.unit_id, 1)))
        else:
            group.members.append(entry)
    return [_merged(group) for group in groups]


def _order(entry: Voiced) -> tuple[str, str, int, int, str, str, int]:
    anchor = entry.finding.anchor
    start, end = anchor.start_line or 0, anchor.end_line or 0
    return (anchor.path, anchor.side, start, end, entry.finding.title, entry.finding.body, entry.vote)


def _merged(group: _Group) -> Finding:
    findings = [member.finding for member in group.members]
    best = min(
        findings, key=lambda finding: (finding.severity.rank, -finding.model_confidence, finding.title, finding.body)
    )
    heard = {member.vote for member in group.members}
    if any(finding.anchor.is_ambiguous for finding in findings):
        heard = {min(heard)}  # which of several places was meant is not certain, so agreement is none
    return structs.replace(
        best,
        severity=_agreed(group.members),
        model_confidence=max(finding.model_confidence for finding in findings),
        trigger=max((finding.trigger for finding in findings), key=lambda text: (len(text), text)),
        evidence=_united(findings),
        proposal=next((finding.proposal for finding in [best, *findings] if finding.proposal is not None), None),
        votes=Votes(min(len(heard), group.of), group.of),
    )


def _agreed(members: Sequence[Voiced]) -> Severity:
    """The highest severity that two votes agree on; of one voice, its own."""
    by_vote: dict[int, Severity] = {}
    for member in members:
        before = by_vote.get(member.vote, Severity.NIT)
        by_vote[member.vote] = min(before, member.finding.severity, key=lambda severity: severity.rank)
    ranked = sorted(by_vote.values(), key=lambda severity: severity.rank)
    return ranked[1] if len(ranked) > 1 else ranked[0]


def _united(findings: Sequence[Finding]) -> tuple[Evidence, ...]:
    found: dict[tuple[str, str], Evidence] = {}
    for finding in findings:
        for evidence in finding.evidence:
            found.setdefault((evidence.path, evidence.quote), evidence)
    return tuple(found.values())
