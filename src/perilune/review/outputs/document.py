"""`perilune.review.v1`: the whole result as one document."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from msgspec import to_builtins

from perilune.core.errors import Problem
from perilune.core.instants import whole_second
from perilune.core.messages import Voice
from perilune.core.money import MoneyDocument
from perilune.patches.finding import Anchor, Finding, Suggestion
from perilune.review.coverage import CoverageState
from perilune.review.plan.forecast import Estimate
from perilune.review.prompt.system import PROMPT_VERSION, SCHEMA_VERSION
from perilune.review.result import ConfigFacts, InputFacts, Publication, ReviewResult, UsageFacts

SCHEMA = "perilune.review.v1"


def review_document(result: ReviewResult, voice: Voice) -> dict[str, Any]:
    """The document of a result; only error words depend on the reader."""
    return {
        "schema": SCHEMA,
        "generated_at": whole_second(result.generated_at),
        "run_id": result.run_id,
        "status": result.status.value,
        "retry_at": whole_second(result.retry_at),
        "input": input_document(result.source),
        "config": config_document(result.config),
        "plan": plan_document(result),
        "coverage": coverage_document(result),
        "usage": usage_document(result.usage),
        "findings": [finding_document(finding, result) for finding in result.findings],
        "dropped": dropped_document(result),
        "malformed": result.malformed,
        "publication": publication_document(result.publication),
        "errors": [error_document(problem, voice) for problem in result.errors],
    }


def publication_document(publication: Publication | None) -> dict[str, Any] | None:
    """What was put on the forge."""
    if publication is None:
        return None
    names = ("state", "reviews", "inline", "folded", "resolved", "demoted", "carried", "summary_url", "check")
    return {name: getattr(publication, name) for name in names}


def input_document(source: InputFacts) -> dict[str, Any]:
    """What was reviewed."""
    start, end = source.merge_base or source.base, source.head
    return {
        "kind": source.kind,
        "forge": source.forge,
        "repository": source.repository,
        "number": source.number,
        "base": source.base,
        "merge_base": source.merge_base,
        "head": source.head,
        "exact_range": f"{start}...{end}" if start and end else None,
        "diff_sha256": source.diff_sha256,
        "paths": list(source.paths),
    }


def config_document(config: ConfigFacts) -> dict[str, Any]:
    """Where settings and rules came from."""
    return {
        "source": config.source,
        "ref": config.ref,
        "sha256": config.sha256,
        "rules_changed_in_head": config.rules_changed_in_head,
        "ignored_keys": list(config.ignored_keys),
        "not_carried": list(config.not_carried),
        "rules": [to_builtins(rule) for rule in config.rules],
    }


def plan_document(result: ReviewResult) -> dict[str, Any] | None:
    """The plan with its estimate."""
    plan = result.plan
    if plan is None:
        return None
    return {
        "objective": plan.objective,
        "effort": plan.effort,
        "units": len(plan.units),
        "votes": max(plan.votes.values(), default=1),
        "prompt_version": PROMPT_VERSION,
        "schema_version": SCHEMA_VERSION,
        "estimate": estimate_document(result.estimate),
        "degraded": list(plan.degraded),
    }


def estimate_document(estimate: Estimate) -> dict[str, Any]:
    """What a plan is expected to take."""
    return {
        "requests": estimate.requests,
        "tokens_in": estimate.tokens_in,
        "tokens_out": estimate.tokens_out,
        "cost": MoneyDocument.of(estimate.cost),
        "seconds": round(estimate.seconds),
        "windows": [
            {
                "account": window.account,
                "id": window.id,
                "before": window.before,
                "after": window.after,
                "resets_at": whole_second(window.resets_at),
            }
            for window in estimate.windows
        ],
    }


def coverage_document(result: ReviewResult) -> dict[str, Any]:
    """The ledger: counts that sum to the files, and every file with its state."""
    counts = {state.value: result.count(state) for state in CoverageState}
    return {"files": len(result.coverage), **counts, "items": [to_builtins(item) for item in result.coverage]}


def usage_document(usage: UsageFacts) -> dict[str, Any]:
    """What the run bought."""
    return {
        "requests": usage.requests,
        "reused_requests": usage.reused_requests,
        "tokens_in": usage.tokens_in,
        "tokens_cached": usage.tokens_cached,
        "tokens_out": usage.tokens_out,
        "is_known": usage.is_known,
        "cost": MoneyDocument.of(usage.cost),
        "by_pass": [to_builtins(row) for row in usage.by_pass],
        "attempts": [to_builtins(attempt) for attempt in usage.attempts],
    }


def finding_document(finding: Finding, result: ReviewResult) -> dict[str, Any]:
    """One finding with everything known of it."""
    return {
        "id": finding.id,
        "run_id": result.run_id,
        "unit_id": finding.unit_id,
        "pass": finding.pass_name,
        "model": finding.model,
        "account": finding.account,
        "plan": finding.plan,
        "fingerprint": finding.fingerprint,
        "fingerprint_code": finding.fingerprint_code,
        "occurrence": finding.occurrence,
        "supersedes": finding.supersedes,
        "severity": finding.severity.value,
        "category": finding.category.value,
        "rule": finding.rule or None,
        "confidence": finding.confidence,
        "votes": to_builtins(finding.votes),
        "title": finding.title,
        "body": finding.body,
        "trigger": finding.trigger,
        "evidence": [to_builtins(entry) for entry in finding.evidence],
        "anchor": anchor_document(finding.anchor, result.source),
        "suggestion": _suggestion(finding.suggestion),
        "suggestion_note": finding.suggestion_note or None,
        "verification": to_builtins(finding.verification),
        "state": finding.state.value,
        "inline": finding.is_inline,
        "forge_refs": [],
        "drop_reason": finding.drop_reason,
    }


def anchor_document(anchor: Anchor, source: InputFacts) -> dict[str, Any]:
    """A place with the commits it belongs to."""
    return {
        "path": anchor.path,
        "old_path": anchor.old_path,
        "side": anchor.side.value,
        "start_line": anchor.start_line,
        "end_line": anchor.end_line,
        "hunk_id": anchor.hunk_id,
        "level": anchor.level.value,
        "method": anchor.method.value,
        "quote": anchor.quote,
        "head_sha": source.head,
        "base_sha": source.merge_base or source.base,
    }


def _suggestion(suggestion: Suggestion | None) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = to_builtins(suggestion)
    return found


def dropped_document(result: ReviewResult) -> list[dict[str, Any]]:
    """Findings that are not shown, by reason."""
    counts = Counter(entry.reason for entry in result.dropped)
    return [
        {
            "reason": reason,
            "count": count,
            "items": [
                {
                    "path": entry.finding.anchor.path,
                    "title": entry.finding.title,
                    "severity": entry.finding.severity.value,
                    "why": entry.finding.verification.reason or None,
                }
                for entry in result.dropped
                if entry.reason == reason
            ],
        }
        for reason, count in sorted(counts.items())
    ]


def error_document(problem: Problem, voice: Voice) -> dict[str, Any]:
    """One error in the reader's words."""
    words = voice.explain(problem)
    return {
        "code": problem.code,
        "message": words.what,
        "why": words.why,
        "fix": list(words.fix),
        "retry_at": whole_second(problem.retry_at),
    }
