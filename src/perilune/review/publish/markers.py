"""Marks in our comments, by which they are found again. Only those in comments of our own identity count."""

import re

from msgspec import Struct

from perilune.patches.finding import Finding

SUMMARY = "<!-- perilune:summary v1 -->"
ANY = "<!-- perilune:"
_FINDING = re.compile(r"<!-- perilune:finding v1 fp=([0-9a-f]{8,64}) code=([0-9a-f]{8,64}) -->")


class FindingMark(Struct, frozen=True):
    """The fingerprints a comment carries."""

    fingerprint: str
    fingerprint_code: str


def finding_mark(finding: Finding) -> str:
    """The mark of a finding's comment."""
    return f"<!-- perilune:finding v1 fp={finding.fingerprint} code={finding.fingerprint_code} -->"


def review_mark(run: str, part: str, head: str) -> str:
    """The mark of one part of a review."""
    return f"<!-- perilune:review v1 run={run} part={part} head={head[:12]} -->"


def read_finding(body: str) -> FindingMark | None:
    """The fingerprints in a comment of ours."""
    found = _FINDING.search(body)
    return FindingMark(found[1], found[2]) if found is not None else None
