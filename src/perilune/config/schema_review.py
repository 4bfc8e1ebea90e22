"""The reviewer's part of `config.toml`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Positive = Annotated[int, Meta(ge=1)]


class ReviewPerDayConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The most that the reviews of one repository may spend on a day of UTC. `cost` as "USD 3"."""

    requests: Positive | None = None
    cost: str | None = None


class ReviewBudgetConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Hard budgets of one review. `max_cost` as "USD 0.50"; `floor` by window id: a number of requests or a share."""

    max_requests: Positive = 40
    max_tokens: Positive = 2_000_000
    max_cost: str | None = None
    max_share: Annotated[float, Meta(gt=0, le=1)] = 0.4
    per_day: ReviewPerDayConfig = ReviewPerDayConfig()
    floor: dict[str, str] = field(default_factory=dict)
    on_short: tuple[Literal["degrade", "fallback", "defer", "fail"], ...] = ("degrade", "fallback", "defer")


class ReviewPathConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rules for files that match a glob."""

    match: str
    rules: str = ""
    severity: str | None = None
    effort: str | None = None
    ignore_categories: tuple[str, ...] = ()


class ReviewRulesConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Names of rule files looked for from the root down to each changed file."""

    files: tuple[str, ...] = ("REVIEW.md", "AGENTS.md", "CLAUDE.md")


class ReviewPollConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Asking forges for new heads where no webhook can reach this machine."""

    enabled: bool = False
    every_s: Positive = 60


class ReviewConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The reviewer."""

    enabled: bool = True
    severity: Literal["critical", "high", "medium", "low", "nit"] = "medium"
    max_inline: Annotated[int, Meta(ge=0)] = 10
    effort: Literal["low", "medium", "high"] = "medium"
    language: Literal["auto", "en", "zh-CN"] = "auto"
    categories: tuple[str, ...] = ("bug", "security", "performance", "concurrency", "api", "tests", "docs", "rule")
    ignore: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    base_branches: tuple[str, ...] = ()
    ignore_titles: tuple[str, ...] = ("[skip review]",)
    ignore_authors: tuple[str, ...] = ()
    on_push: Literal["auto", "first", "manual"] = "auto"
    settle_s: Annotated[int, Meta(ge=0)] = 10
    drafts: bool = False
    suggestions: bool = True
    summary: Literal["comment", "off"] = "comment"
    resolve_fixed: bool = True
    fail_on: Literal["never", "critical", "high", "medium", "low", "nit"] = "never"
    require_full_coverage: bool = False
    forks: Literal["off", "summary", "comment"] = "comment"
    bots: Literal["off", "on"] = "off"
    approve: bool = False
    redact_secrets: bool = True
    personal_plan: Literal["own", "all", "never"] = "own"
    own_logins: tuple[str, ...] = ()
    bot_name: str = "perilune"
    max_running: Positive = 4
    poll: ReviewPollConfig = ReviewPollConfig()
    route: str | None = None
    max_file_bytes: Positive = 1024 * 1024
    budget: ReviewBudgetConfig = ReviewBudgetConfig()
    paths: tuple[ReviewPathConfig, ...] = ()
    rules: ReviewRulesConfig = ReviewRulesConfig()
