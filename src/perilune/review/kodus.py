"""A `kodus-config.yml` of the base read as our own settings, where a repository has no settings of ours yet."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from perilune.patches.finding import Category, Severity
from perilune.review.answer.tolerant import TooDeepError
from perilune.review.answer.yamlish import Yamlish
from perilune.review.settings import KODUS_FILE

_STOCK = ("**/*.json", "package.json")
_SAID_ELSEWHERE = ("kodusConfigFileOverridesWebPreferences", "version")
_ON_PUSH = {"automatic": "auto", "auto_pause": "auto", "manual": "manual"}
_OPTIONS: dict[str, tuple[Category, ...]] = {
    "bug": (Category.BUG, Category.CONCURRENCY),
    "performance": (Category.PERFORMANCE,),
    "security": (Category.SECURITY,),
    "business_logic": (Category.API,),
}
_LEAST_STOCK = 3


class Migrated(Struct, frozen=True, kw_only=True):
    """What became of a file: our settings, the same as TOML, and the keys that were not carried."""

    table: dict[str, Any]
    not_carried: tuple[str, ...]

    @property
    def toml(self) -> str:
        """The settings as they would stand in `.perilune.toml`."""
        rows = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in self.table.items()]
        return "\n".join(("[review]", *rows)) + "\n"


def migrate(content: bytes) -> Migrated:
    """The settings of a file; nothing where it cannot be read as a mapping."""
    text = content.decode("utf-8-sig", errors="replace")
    try:
        document = Yamlish(text).document()
    except TooDeepError:
        document = None
    if not isinstance(document, dict):
        return Migrated(table={}, not_carried=(KODUS_FILE,))
    reading = _Reading()
    for key, value in document.items():
        reading.take(str(key), value)
    if any(line.lstrip().startswith("#") or " #" in line for line in text.splitlines()):
        reading.left.append("comments")
    return Migrated(table=reading.table, not_carried=tuple(reading.left))


class _Reading:
    """One file that is being read."""

    def __init__(self) -> None:
        self.table: dict[str, Any] = {}
        self.left: list[str] = []

    def take(self, key: str, value: Any) -> None:
        """One key of the top level."""
        readers: Mapping[str, Callable[[Any], None]] = {
            "automatedReviewActive": lambda on: self._put("on_push", "auto" if on is not False else "manual"),
            "reviewCadence": self._cadence,
            "runOnDraft": lambda on: self._put("drafts", on is True),
            "pullRequestApprovalActive": lambda on: self._leave(key, when=on is True),
            "isRequestChangesActive": lambda on: self._put("fail_on", "critical" if on is True else "never"),
            "ignorePaths": self._ignore,
            "ignoredTitleKeywords": lambda words: self._put("ignore_titles", _texts(words)),
            "baseBranches": self._branches,
            "enableCommittableSuggestions": lambda on: self._put("suggestions", on is not False),
            "reviewOptions": self._options,
            "suggestionControl": self._control,
            "summary": self._summary,
        }
        if key in readers:
            readers[key](value)
        elif key not in _SAID_ELSEWHERE:
            self._leave(key)

    def _put(self, key: str, value: Any) -> None:
        self.table[key] = value

    def _leave(self, key: str, *, when: bool = True) -> None:
        if when:
            self.left.append(key)

    def _cadence(self, value: Any) -> None:
        table = value if isinstance(value, dict) else {}
        kind = str(table.get("type", "automatic"))
        if kind in _ON_PUSH and self.table.get("on_push") != "manual":
            self._put("on_push", _ON_PUSH[kind])
        self._leave("reviewCadence.type: auto_pause", when=kind == "auto_pause")
        for key in table:
            self._leave(f"reviewCadence.{key}", when=key != "type")

    def _ignore(self, value: Any) -> None:
        globs = _texts(value)
        is_stock = set(_STOCK) <= set(globs) and len(globs) >= _LEAST_STOCK
        self._put("ignore", [glob for glob in globs if not (is_stock and glob in _STOCK)])

    def _branches(self, value: Any) -> None:
        kept = []
        for name in _texts(value):
            if name.startswith("contains:"):
                self._leave(f"baseBranches: {name}")
            else:
                kept.append(name.removeprefix("="))
        self._put("base_branches", kept)

    def _options(self, value: Any) -> None:
        table = value if isinstance(value, dict) else {}
        off = {category for key, named in _OPTIONS.items() if table.get(key) is False for category in named}
        kept = [category.value for category in Category if category not in (*off, Category.STYLE)]
        self._put("categories", kept)
        for key in table:
            self._leave(f"reviewOptions.{key}", when=key not in _OPTIONS)

    def _control(self, value: Any) -> None:
        table = value if isinstance(value, dict) else {}
        level = table.get("severityLevelFilter")
        if level in tuple(severity.value for severity in Severity):
            self._put("severity", level)
        for key, said in table.items():
            is_ours = key == "severityLevelFilter" or (key == "applyFiltersToKodyRules" and said is not True)
            self._leave(f"suggestionControl.{key}", when=not is_ours)

    def _summary(self, value: Any) -> None:
        table = value if isinstance(value, dict) else {}
        if "generatePRSummary" in table:
            self._put("summary", "off" if table["generatePRSummary"] is False else "comment")
        for key in table:
            self._leave(f"summary.{key}", when=key != "generatePRSummary")


def _texts(value: Any) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []
