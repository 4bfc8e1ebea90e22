"""Checks one finding alone: limits, scales, types. Nothing that places a finding is ever invented."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from perilune.core.numbers import parse_number
from perilune.patches.finding import Candidate, Category, EvidenceQuote, Proposal, Severity
from perilune.patches.model import Side

_TITLE = 80
_BODY = 4_000
_TRIGGER = 600
_QUOTE_LINES = 6
_QUOTE_BYTES = 2_000
_REPLACEMENT = 8_000
_MOST_EVIDENCE = 8
_FARTHEST_LINE = 10_000_000

_SEVERITIES = {
    "p0": Severity.CRITICAL,
    "p1": Severity.HIGH,
    "p2": Severity.MEDIUM,
    "p3": Severity.LOW,
    "p4": Severity.NIT,
    "blocker": Severity.CRITICAL,
    "severe": Severity.CRITICAL,
    "error": Severity.HIGH,
    "major": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "warn": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "normal": Severity.MEDIUM,
    "minor": Severity.LOW,
    "info": Severity.LOW,
    "information": Severity.LOW,
    "note": Severity.LOW,
    "notice": Severity.LOW,
    "trivial": Severity.NIT,
    "suggestion": Severity.NIT,
}
_CATEGORIES = {
    "correctness": Category.BUG,
    "logic": Category.BUG,
    "possible_bug": Category.BUG,
    "possible_issue": Category.BUG,
    "vulnerability": Category.SECURITY,
    "perf": Category.PERFORMANCE,
    "race": Category.CONCURRENCY,
    "test": Category.TESTS,
    "testing": Category.TESTS,
    "documentation": Category.DOCS,
    "maintainability": Category.STYLE,
    "naming": Category.STYLE,
}
_OLD_SIDES = ("old", "left", "removed", "before", "deleted")


def candidate_of(entry: Mapping[str, Any]) -> Candidate | None:
    """A finding within our limits; None where it says nothing."""
    body = text_of(entry.get("body"), _BODY)
    title = text_of(entry.get("title"), _TITLE, one_line=True) or text_of(body.split("\n")[0], _TITLE, one_line=True)
    if not title:
        return None
    return Candidate(
        path=str(entry.get("path") or "").strip(),
        side=Side.OLD if str(entry.get("side", "")).strip().lower() in _OLD_SIDES else Side.NEW,
        quote=quote_of(entry.get("quote")),
        start_line=_line(entry.get("start_line")),
        end_line=_line(entry.get("end_line")),
        category=_category(entry.get("category")),
        severity=severity_of(entry.get("severity")) or Severity.MEDIUM,
        confidence=_confidence(entry.get("confidence")),
        title=title,
        body=body,
        trigger=text_of(entry.get("trigger"), _TRIGGER),
        evidence=_evidence(entry.get("evidence")),
        proposal=_proposal(entry),
        rule=text_of(entry.get("rule"), _TITLE, one_line=True),
    )


def text_of(value: Any, limit: int, *, one_line: bool = False) -> str:
    """A text for display: NFC, cut at its limit, no lone surrogates."""
    if value is None or isinstance(value, (dict, list)):
        return ""
    text = unicodedata.normalize("NFC", str(value).encode("utf-8", "replace").decode())
    text = " ".join(text.split()) if one_line else text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quote_of(value: Any) -> str:
    """A quote as it is, at most 6 lines and 2,000 bytes."""
    text = "\n".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else ""
    lines = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").strip("\n").split("\n")[:_QUOTE_LINES]
    while len(lines) > 1 and len("\n".join(lines).encode()) > _QUOTE_BYTES:
        lines.pop()
    return "\n".join(lines)


def severity_of(value: Any) -> Severity | None:
    """A severity of our scale or of another one."""
    word = str(value or "").strip().lower().replace("-", "_")
    known = {severity.value: severity for severity in Severity}
    return known.get(word) or _SEVERITIES.get(word)


def _category(value: Any) -> Category:
    word = str(value or "").strip().lower().replace(" ", "_").replace("-", "_")
    known = {category.value: category for category in Category}
    return known.get(word) or _CATEGORIES.get(word) or Category.BUG


def _confidence(value: Any) -> int:
    number = parse_number(value.removesuffix("%") if isinstance(value, str) else value)
    if number is None:
        return 50
    percent = number * 100 if 0 < number < 1 or (number == 1 and isinstance(value, float)) else number
    return max(0, min(int(percent), 100))


def _line(value: Any) -> int | None:
    number = parse_number(value)
    if number is None or not 0 < number < _FARTHEST_LINE:
        return None
    return int(number)


def _evidence(value: Any) -> tuple[EvidenceQuote, ...]:
    entries = value if isinstance(value, list) else []
    found: list[EvidenceQuote] = []
    for entry in entries[:_MOST_EVIDENCE]:
        if isinstance(entry, dict):
            found.append(EvidenceQuote(str(entry.get("path") or ""), quote_of(entry.get("quote"))))
        elif isinstance(entry, str):
            found.append(EvidenceQuote("", quote_of(entry)))
    return tuple(entry for entry in found if entry.quote)


def _proposal(entry: Mapping[str, Any]) -> Proposal | None:
    inner = entry.get("suggestion")
    source = inner if isinstance(inner, dict) else entry
    replacement = source.get("replacement", source.get("improved_code"))
    if not isinstance(replacement, str):
        return None
    quoted = source.get("replace_quote")
    replaced = quoted if isinstance(quoted, str) else ""
    if not replacement and not replaced:
        return None
    return Proposal(replaced[:_REPLACEMENT], replacement[:_REPLACEMENT])
