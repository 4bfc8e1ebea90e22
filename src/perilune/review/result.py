"""What a review comes to: status, coverage, usage, findings, and what was dropped, before any writer sees it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

from perilune.core.errors import Problem
from perilune.core.money import Money
from perilune.patches.finding import Finding
from perilune.patches.model import Diff
from perilune.review.coverage import CoverageItem, CoverageState
from perilune.review.plan.forecast import Estimate
from perilune.review.plan.planner import Plan
from perilune.review.ports import Attempt
from perilune.review.settings import FailOn


class RunStatus(StrEnum):
    """How a review ended."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    DEFERRED = "deferred"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    FAILED = "failed"


class InputFacts(Struct, frozen=True, kw_only=True):
    """What was reviewed."""

    kind: str
    base: str | None = None
    merge_base: str | None = None
    head: str | None = None
    diff_sha256: str = ""
    paths: tuple[str, ...] = ()
    forge: str | None = None
    repository: str | None = None
    number: int | None = None


class RuleFacts(Struct, frozen=True, kw_only=True):
    """One rule file that was in force."""

    path: str
    scope: str
    sha256: str
    bytes: int
    truncated: bool = False
    missing_imports: tuple[str, ...] = ()


class ConfigFacts(Struct, frozen=True, kw_only=True):
    """Where settings and rules came from.

    Shape: `migrated` is another program's file as our own TOML, without the keys `not_carried`; `problem` is why the
    repository's settings were left aside.
    """

    source: str = "default"
    ref: str | None = None
    sha256: str | None = None
    rules_changed_in_head: bool = False
    rules: tuple[RuleFacts, ...] = ()
    ignored_keys: tuple[str, ...] = ()
    not_carried: tuple[str, ...] = ()
    migrated: str | None = None
    problem: Problem | None = None


class PassUsage(Struct, frozen=True, kw_only=True):
    """What one kind of call took."""

    name: str
    requests: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0


class UsageFacts(Struct, frozen=True, kw_only=True):
    """What the run bought; re-used answers are apart. A count that the vendor left open makes `is_known` false."""

    requests: int = 0
    reused_requests: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    cost: Money | None = None
    is_known: bool = True
    by_pass: tuple[PassUsage, ...] = ()
    attempts: tuple[Attempt, ...] = ()


class Dropped(Struct, frozen=True):
    """A finding that is not shown, and why."""

    reason: str
    finding: Finding


class Publication(Struct, frozen=True, kw_only=True):
    """What was put on the forge. `state` says why nothing was, where that is so."""

    state: Literal["published", "closed", "superseded", "dry_run", "no_credential"]
    reviews: int = 0
    inline: int = 0
    folded: int = 0
    resolved: int = 0
    demoted: int = 0
    carried: int = 0
    summary_url: str | None = None
    check: str | None = None
    errors: tuple[Problem, ...] = ()


class ReviewResult(Struct, frozen=True, kw_only=True):
    """Everything a writer needs."""

    run_id: str
    generated_at: datetime
    status: RunStatus
    source: InputFacts
    config: ConfigFacts = ConfigFacts()
    plan: Plan | None = None
    estimate: Estimate = Estimate()
    coverage: tuple[CoverageItem, ...] = ()
    usage: UsageFacts = UsageFacts()
    findings: tuple[Finding, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    malformed: int = 0
    errors: tuple[Problem, ...] = ()
    retry_at: datetime | None = None
    seconds: float = 0.0
    risks: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    is_preview: bool = False
    fail_on: FailOn = "never"
    require_full_coverage: bool = False
    head_lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    diff: Diff = Diff()
    publication: Publication | None = None

    @property
    def inline(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_inline)

    @property
    def folded(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.is_inline)

    def count(self, state: CoverageState) -> int:
        return sum(1 for item in self.coverage if item.state is state)
