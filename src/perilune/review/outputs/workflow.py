"""GitHub workflow commands, most severe first: only ten of a level are shown."""

from perilune.patches.finding import Finding, Severity
from perilune.review.rank import score
from perilune.review.result import ReviewResult

_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}


def workflow_commands(result: ReviewResult) -> str:
    """One command a finding that stands on a line or a file."""
    ordered = sorted(result.inline, key=lambda finding: (finding.severity.rank, -score(finding), finding.anchor.path))
    return "".join(_command(finding) + "\n" for finding in ordered)


def _command(finding: Finding) -> str:
    anchor = finding.anchor
    properties = {"file": anchor.path}
    if anchor.start_line is not None and anchor.side == "new":
        properties |= {"line": str(anchor.start_line), "endLine": str(anchor.end_line)}
    properties["title"] = finding.title
    level = _LEVELS.get(finding.severity, "notice")
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_message(finding.body or finding.title)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
