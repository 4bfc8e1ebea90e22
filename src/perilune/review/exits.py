"""The exit status of a review."""

from perilune.patches.finding import Severity, Verdict
from perilune.review.result import ReviewResult, RunStatus

_COUNTED = (Verdict.CONFIRMED, Verdict.SKIPPED)


def exit_code(result: ReviewResult) -> int:
    """0 below `fail_on`; 1 for findings at or above it or a review that failed; the code's own for what stopped it."""
    if result.status is RunStatus.DEFERRED:
        return _of_errors(result) or 5
    if result.status is RunStatus.FAILED:
        return _of_errors(result) or 1
    if has_failing(result):
        return 1
    return 1 if result.status is RunStatus.PARTIAL and result.require_full_coverage else 0


def has_failing(result: ReviewResult) -> bool:
    """Whether a finding that counts is at or above `fail_on`."""
    if result.fail_on == "never":
        return False
    least = Severity(result.fail_on)
    return any(
        finding.severity.at_least(least) and finding.verification.state in _COUNTED for finding in result.findings
    )


def _of_errors(result: ReviewResult) -> int:
    return next((problem.exit_code for problem in result.errors if problem.exit_code), 0)
