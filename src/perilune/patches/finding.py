"""What the reviewer says about one place: candidates as the model gave them, findings as they stand."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from perilune.patches.model import Side


class Severity(StrEnum):
    """One scale everywhere; the order of declaration is from worst to least."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NIT = "nit"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]

    def at_least(self, other: "Severity") -> bool:
        return self.rank <= other.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Category(StrEnum):
    """What a finding is about."""

    BUG = "bug"
    SECURITY = "security"
    PERFORMANCE = "performance"
    CONCURRENCY = "concurrency"
    API = "api"
    TESTS = "tests"
    DOCS = "docs"
    STYLE = "style"
    RULE = "rule"


class Level(StrEnum):
    """How precisely a finding is placed."""

    RANGE = "range"
    LINE = "line"
    FILE = "file"
    PR = "pr"


class Method(StrEnum):
    """How the place was found."""

    EXACT = "exact"
    NORMALISED = "normalised"
    RELOCATED = "relocated"
    DIFF_INDEX = "diff_index"
    NONE = "none"


class Verdict(StrEnum):
    """What verification says of a finding."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNSURE = "unsure"
    SKIPPED = "skipped"
    ERROR = "error"


class State(StrEnum):
    """Where a finding stands across heads."""

    NEW = "new"
    POSTED = "posted"
    CARRIED = "carried"
    FIXED = "fixed"
    DISMISSED = "dismissed"
    SUPPRESSED = "suppressed"


class EvidenceQuote(Struct, frozen=True):
    """Code that a finding rests on, as the model quoted it."""

    path: str
    quote: str


class Proposal(Struct, frozen=True):
    """A replacement as the model proposed it."""

    replace_quote: str
    replacement: str


class Candidate(Struct, frozen=True, kw_only=True):
    """One finding as the model gave it, shape checked, place not yet proven."""

    path: str
    side: Side = Side.NEW
    quote: str = ""
    start_line: int | None = None
    end_line: int | None = None
    category: Category = Category.BUG
    severity: Severity = Severity.MEDIUM
    confidence: int = 50
    title: str = ""
    body: str = ""
    trigger: str = ""
    evidence: tuple[EvidenceQuote, ...] = ()
    proposal: Proposal | None = None
    rule: str = ""


class Anchor(Struct, frozen=True, kw_only=True):
    """A proven place, or none. Lines count from 1 on `side`; None where the level has no lines."""

    path: str
    old_path: str | None = None
    side: Side = Side.NEW
    start_line: int | None = None
    end_line: int | None = None
    hunk_id: str | None = None
    level: Level = Level.PR
    method: Method = Method.NONE
    quote: str = ""
    is_ambiguous: bool = False

    @property
    def is_inline(self) -> bool:
        return self.level in (Level.LINE, Level.RANGE)

    def overlaps(self, other: "Anchor") -> bool:
        """Whether two anchors share a line, or are both of one whole file."""
        if (self.path, self.side) != (other.path, other.side):
            return False
        if self.start_line is None or other.start_line is None or self.end_line is None or other.end_line is None:
            return self.start_line is None and other.start_line is None and self.level == other.level
        return self.start_line <= other.end_line and other.start_line <= self.end_line


class Votes(Struct, frozen=True):
    """In how many of the asked votes a finding stood."""

    n: int = 1
    of: int = 1


class Evidence(Struct, frozen=True, kw_only=True):
    """Code that a finding rests on, placed where it could be found."""

    path: str
    side: Side | None = None
    start_line: int | None = None
    end_line: int | None = None
    quote: str = ""


class Verification(Struct, frozen=True):
    """The verdict, who gave it, and why."""

    state: Verdict = Verdict.SKIPPED
    by: str = "harness"
    reason: str = ""


class Suggestion(Struct, frozen=True, kw_only=True):
    """A replacement that was checked. `parses` is None where no parser knows the file."""

    replacement: str
    start_line: int
    end_line: int
    applies: bool
    parses: bool | None
    lines_changed: int
    patch: str


class Finding(Struct, frozen=True, kw_only=True):
    """One thing the reviewer says about one place in a diff."""

    id: str
    unit_id: str
    pass_name: str = "generate"
    model: str | None = None
    account: str | None = None
    plan: str | None = None
    fingerprint: str = ""
    fingerprint_code: str = ""
    occurrence: int = 0
    symbol: str = ""
    supersedes: str | None = None
    severity: Severity
    category: Category
    rule: str = ""
    confidence: Decimal = Decimal("0.5")
    model_confidence: int = 50
    votes: Votes = Votes()
    title: str
    body: str
    trigger: str = ""
    evidence: tuple[Evidence, ...] = ()
    anchor: Anchor
    proposal: Proposal | None = None
    suggestion: Suggestion | None = None
    suggestion_note: str = ""
    verification: Verification = Verification()
    state: State = State.NEW
    drop_reason: str | None = None
    is_inline: bool = False
