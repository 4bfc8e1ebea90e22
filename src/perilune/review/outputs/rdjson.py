"""Reviewdog's diagnostic format."""

from typing import Any

from perilune.patches.finding import Finding, Severity, Suggestion
from perilune.patches.model import Side
from perilune.review.result import ReviewResult

_SEVERITIES = {Severity.CRITICAL: "ERROR", Severity.HIGH: "ERROR", Severity.MEDIUM: "WARNING"}


def rdjson(result: ReviewResult) -> dict[str, Any]:
    """One diagnostic a finding with a place. Whole lines carry no columns; columns count UTF-8 bytes from 1."""
    return {
        "source": {"name": "perilune"},
        "severity": "WARNING",
        "diagnostics": [_diagnostic(finding) for finding in result.inline],
    }


def _diagnostic(finding: Finding) -> dict[str, Any]:
    anchor = finding.anchor
    location: dict[str, Any] = {"path": anchor.path}
    if anchor.start_line is not None and anchor.side is Side.NEW:
        location["range"] = {"start": {"line": anchor.start_line}, "end": {"line": anchor.end_line}}
    diagnostic: dict[str, Any] = {
        "message": f"{finding.title}\n\n{finding.body}".strip(),
        "location": location,
        "severity": _SEVERITIES.get(finding.severity, "INFO"),
        "code": {"value": f"perilune/{finding.category.value}"},
    }
    if finding.suggestion is not None:
        diagnostic["suggestions"] = [suggestion_of(finding.suggestion)]
    return diagnostic


def suggestion_of(suggestion: Suggestion) -> dict[str, Any]:
    """A replacement of whole lines; a deletion ends before the line behind it."""
    if not suggestion.replacement:
        start = {"line": suggestion.start_line, "column": 1}
        return {"range": {"start": start, "end": {"line": suggestion.end_line + 1, "column": 1}}, "text": ""}
    span = {"start": {"line": suggestion.start_line}, "end": {"line": suggestion.end_line}}
    return {"range": span, "text": suggestion.replacement}
