"""SARIF 2.1.0."""

from typing import Any
from urllib.parse import quote

from perilune import __version__
from perilune.patches.finding import Category, Finding, Severity
from perilune.patches.model import Side
from perilune.review.coverage import CoverageItem, CoverageState
from perilune.review.result import ReviewResult, RunStatus

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
_SECURITY = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}
_MOST_RESULTS = 25_000


def sarif(result: ReviewResult) -> dict[str, Any]:
    """One run with rules, results, checked fixes, and a notification for each coverage gap."""
    shown = result.inline[:_MOST_RESULTS]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "Perilune", "semanticVersion": __version__, "rules": _rules(shown)}},
        "automationDetails": {"id": "perilune/review/"},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the top of the repository"}}},
        "results": [_result(finding, result) for finding in shown],
        "invocations": [_invocation(result)],
    }
    if result.source.head is not None:
        run["versionControlProvenance"] = [{"repositoryUri": "file:///", "revisionId": result.source.head}]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def rule_id(finding: Finding) -> str:
    """`perilune/<category>`, or `perilune/rule/<slug>`."""
    if finding.category is Category.RULE and finding.rule:
        slug = "".join(char if char.isalnum() else "-" for char in finding.rule.lower()).strip("-")
        return f"perilune/rule/{slug or 'rule'}"
    return f"perilune/{finding.category.value}"


def _rules(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    found: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda entry: (rule_id(entry), entry.severity.rank)):
        found.setdefault(rule_id(finding), finding)
    return [_rule(name, finding) for name, finding in found.items()]


def _rule(name: str, worst: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": name, "shortDescription": {"text": worst.rule or worst.category.value}}
    properties: dict[str, Any] = {"tags": [worst.category.value]}
    if worst.category is Category.SECURITY and worst.severity in _SECURITY:
        properties["security-severity"] = _SECURITY[worst.severity]
    return {**rule, "properties": properties}


def _result(finding: Finding, result: ReviewResult) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "ruleId": rule_id(finding),
        "level": _LEVELS.get(finding.severity, "note"),
        "message": {"text": f"{finding.title}\n\n{finding.body}".strip()},
        "locations": [{"physicalLocation": _location(finding, result)}],
        "partialFingerprints": {"perilune/v1": finding.fingerprint},
    }
    if finding.anchor.side is Side.OLD:
        entry["properties"] = {"side": "old"}
    if finding.suggestion is not None:
        entry["fixes"] = [_fix(finding)]
    return entry


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(path.lstrip("/").encode("utf-8", "surrogateescape"), safe="/"), "uriBaseId": "SRCROOT"}


def _location(finding: Finding, result: ReviewResult) -> dict[str, Any]:
    anchor = finding.anchor
    location: dict[str, Any] = {"artifactLocation": _artifact(anchor.path)}
    if anchor.start_line is None:
        return location
    if anchor.side is Side.NEW:
        location["region"] = {"startLine": anchor.start_line, "endLine": anchor.end_line}
    else:
        line = _nearest_new(finding, result)
        location["region"] = {"startLine": line, "endLine": line}
    return location


def _nearest_new(finding: Finding, result: ReviewResult) -> int:
    """The new line beside a removed one."""
    units = result.plan.units if result.plan is not None else ()
    hunks = (hunk for unit in units for file in unit.files for hunk in file.hunks if hunk.id == finding.anchor.hunk_id)
    line = 1
    for hunk in hunks:
        for row in hunk.lines:
            line = row.new_no or line
            if row.old_no == finding.anchor.start_line:
                return max(line, 1)
    return line


def _fix(finding: Finding) -> dict[str, Any]:
    suggestion = finding.suggestion
    if suggestion is None:
        return {}
    text = suggestion.replacement + "\n" if suggestion.replacement else ""
    region = {"startLine": suggestion.start_line, "startColumn": 1, "endLine": suggestion.end_line + 1, "endColumn": 1}
    return {
        "description": {"text": finding.title},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(finding.anchor.path),
                "replacements": [{"deletedRegion": region, "insertedContent": {"text": text}}],
            },
        ],
    }


def _invocation(result: ReviewResult) -> dict[str, Any]:
    gaps = [item for item in result.coverage if item.state not in (CoverageState.REVIEWED, CoverageState.REUSED)]
    return {
        "executionSuccessful": result.status in (RunStatus.COMPLETE, RunStatus.PARTIAL, RunStatus.SKIPPED),
        "toolExecutionNotifications": [_notification(item) for item in gaps],
    }


def _notification(item: CoverageItem) -> dict[str, Any]:
    return {
        "level": "warning" if item.state in (CoverageState.FAILED, CoverageState.PARTIAL) else "note",
        "message": {"text": f"{item.path}: {item.state.value} ({item.reason})"},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(item.path)}}],
    }
