"""The `[review]` settings: read from a repository's `.perilune.toml` and the user's configuration; flags come last.

A repository can narrow, never widen: operator keys are taken from the user alone, budgets take the smaller value.
"""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, structs

from perilune.core.decoding import converted
from perilune.core.errors import ConfigError, Problem
from perilune.patches.finding import Category, Severity

Effort = Literal["low", "medium", "high"]
Shortage = Literal["degrade", "fallback", "defer", "fail"]
FailOn = Literal["never", "critical", "high", "medium", "low", "nit"]

REPOSITORY_FILE = ".perilune.toml"
KODUS_FILE = "kodus-config.yml"


class PerDay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Most that the reviews of one repository may spend in a day."""

    requests: int | None = None
    cost: str | None = None


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hard limits of one review, and the share of what is left that it may take."""

    max_requests: int = 40
    max_tokens: int = 2_000_000
    max_cost: str | None = None
    max_share: Decimal = Decimal("0.4")
    floor: dict[str, str | int] = {}
    per_day: PerDay = PerDay()
    on_short: tuple[Shortage, ...] = ("degrade", "fallback", "defer")


class PathRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules for the paths that match."""

    match: str
    rules: str = ""
    severity: Severity | None = None
    effort: Effort | None = None
    ignore_categories: tuple[Category, ...] = ()


class RuleFiles(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files hold rules."""

    files: tuple[str, ...] = ("REVIEW.md", "AGENTS.md", "CLAUDE.md")


class Poll(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Polling of forges where no webhook can reach us."""

    enabled: bool = False
    every_s: int = 60


class ReviewSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything under `[review]`."""

    enabled: bool = True
    severity: Severity = Severity.MEDIUM
    max_inline: int = 10
    effort: Effort = "medium"
    language: Literal["auto", "en", "zh-CN"] = "auto"
    categories: tuple[Category, ...] = tuple(category for category in Category if category is not Category.STYLE)
    ignore: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    max_file_bytes: int = 1024 * 1024
    base_branches: tuple[str, ...] = ()
    ignore_titles: tuple[str, ...] = ("[skip review]",)
    ignore_authors: tuple[str, ...] = ()
    on_push: Literal["auto", "first", "manual"] = "auto"
    settle_s: int = 10
    drafts: bool = False
    suggestions: bool = True
    summary: Literal["comment", "off"] = "comment"
    resolve_fixed: bool = True
    fail_on: FailOn = "never"
    require_full_coverage: bool = False
    forks: Literal["off", "summary", "comment"] = "comment"
    bots: Literal["off", "on"] = "off"
    approve: bool = False
    redact_secrets: bool = True
    personal_plan: Literal["own", "all", "never"] = "own"
    own_logins: tuple[str, ...] = ()
    bot_name: str = "perilune"
    max_running: int = 4
    poll: Poll = Poll()
    route: str = "review"
    budget: Budget = Budget()
    paths: tuple[PathRule, ...] = ()
    rules: RuleFiles = RuleFiles()


OPERATOR_KEYS = (
    "forks",
    "bots",
    "approve",
    "redact_secrets",
    "personal_plan",
    "own_logins",
    "bot_name",
    "max_running",
    "poll",
    "route",
)


class Origin(Struct, frozen=True, kw_only=True):
    """Where settings came from; `ignored` names operator keys that a repository may not set."""

    source: Literal["repository", "user", "default"] = "default"
    sha256: str | None = None
    ignored: tuple[str, ...] = ()


def settings_of(
    repository: bytes | None,
    user: Mapping[str, Any] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> tuple[ReviewSettings, tuple[str, ...]]:
    """The effective settings, and the operator keys of the repository's file that were left aside.

    Raises: ConfigError (PL-REVIEW-CONFIG) with file, line, key and the nearest known key.
    """
    own = dict(user or {})
    _check_keys(own, ReviewSettings, "config.toml", None)
    theirs = _repository_table(repository)
    ignored = tuple(sorted(key for key in theirs if key in OPERATOR_KEYS))
    allowed = {key: value for key, value in theirs.items() if key not in OPERATOR_KEYS}
    users = _converted(own, "config.toml")
    merged = _converted(
        {**own, **allowed, **(flags or {})}, REPOSITORY_FILE if repository is not None else "config.toml"
    )
    if "budget" in allowed:
        repositorys = _converted({"budget": allowed["budget"]}, REPOSITORY_FILE)
        merged = structs.replace(merged, budget=smaller(users.budget, repositorys.budget))
    return merged, ignored


def smaller(one: Budget, other: Budget) -> Budget:
    """The tighter of two budgets, value by value; `one` is the user's and keeps what only the user may say."""
    return structs.replace(
        one,
        max_requests=min(one.max_requests, other.max_requests),
        max_tokens=min(one.max_tokens, other.max_tokens),
        max_share=min(one.max_share, other.max_share),
        max_cost=_smaller_money(one.max_cost, other.max_cost),
        floor={**other.floor, **one.floor},
        on_short=other.on_short if other.on_short != Budget().on_short else one.on_short,
    )


def _smaller_money(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return one or other
    first, second = one.split(), other.split()
    if len(first) != 2 or len(second) != 2 or first[0] != second[0]:
        return one
    return min(one, other, key=lambda text: Decimal(text.split()[1]))


def _repository_table(content: bytes | None) -> dict[str, Any]:
    if content is None:
        return {}
    text = content.decode("utf-8-sig", errors="replace")
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"line (\d+)", str(error))
        line = int(match[1]) if match else 1
        raise ConfigError.of("PL-REVIEW-CONFIG", variant="syntax", file=REPOSITORY_FILE, line=line) from error
    for key in document:
        if key not in ("review", "schema"):
            raise _unknown(REPOSITORY_FILE, text, key, ["review", "schema"])
    table = document.get("review", {})
    if not isinstance(table, dict):
        raise ConfigError.of(
            "PL-REVIEW-CONFIG", variant="value", file=REPOSITORY_FILE, line=1, key="review", detail="a table"
        )
    _check_keys(table, ReviewSettings, REPOSITORY_FILE, text)
    return table


def _check_keys(table: Mapping[str, Any], shape: type[Struct], file: str, text: str | None) -> None:
    hints = get_type_hints(shape)
    for key, value in table.items():
        if key not in hints:
            raise _unknown(file, text, key, list(hints))
        inner = _struct_in(hints[key])
        for entry in value if isinstance(value, list) else [value]:
            if inner is not None and isinstance(entry, dict):
                _check_keys(entry, inner, file, text)


def _struct_in(hint: Any) -> type[Struct] | None:
    candidates = (hint, *get_args(hint)) if get_origin(hint) is not dict else ()
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, Struct)), None)


def _unknown(file: str, text: str | None, key: str, known: list[str]) -> ConfigError:
    nearest = get_close_matches(key, known, 1, 0.4)
    facts: dict[str, object] = {"file": file, "line": _line_of(text, key), "key": key}
    if nearest:
        facts["nearest"] = nearest[0]
    return ConfigError(Problem(code="PL-REVIEW-CONFIG", variant="nearest" if nearest else "", facts=facts))


def _line_of(text: str | None, key: str) -> int:
    pattern = re.compile(rf"""^\s*(?:\[+[\w.\s"']*)?["']?{re.escape(key)}["']?\s*[=\].]""")
    lines = (text or "").split("\n")
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), 1)


def _converted(table: Mapping[str, Any], file: str) -> ReviewSettings:
    try:
        return converted(table, ReviewSettings)
    except msgspec.ValidationError as error:
        words, _, where = str(error).partition(" - at ")
        key = where.strip("`$.") or "review"
        raise ConfigError.of("PL-REVIEW-CONFIG", variant="value", file=file, key=key, detail=words) from error
