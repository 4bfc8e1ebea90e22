"""GitLab's code quality report."""

from typing import Any

from perilune.patches.finding import Severity
from perilune.review.result import ReviewResult

_SEVERITIES = {
    Severity.NIT: "info",
    Severity.LOW: "minor",
    Severity.MEDIUM: "major",
    Severity.HIGH: "critical",
    Severity.CRITICAL: "blocker",
}


def code_quality(result: ReviewResult) -> list[dict[str, Any]]:
    """One entry a finding with a place. Fingerprints are unique, since equal ones would be swallowed."""
    seen: dict[str, int] = {}
    entries: list[dict[str, Any]] = []
    for finding in result.inline:
        count = seen.get(finding.fingerprint, 0)
        seen[finding.fingerprint] = count + 1
        anchor = finding.anchor
        start = anchor.start_line or 1
        entries.append(
            {
                "description": finding.title,
                "check_name": f"perilune/{finding.category.value}",
                "fingerprint": finding.fingerprint + (f"-{count}" if count else ""),
                "severity": _SEVERITIES[finding.severity],
                "location": {
                    "path": anchor.path.removeprefix("./"),
                    "lines": {"begin": start, "end": anchor.end_line or start},
                },
            },
        )
    return entries
