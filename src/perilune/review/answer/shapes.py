"""Brings what was read into our shape: wrappers taken off, keys and scales of others renamed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

_ALIASES = {
    "file": "path",
    "filename": "path",
    "file_path": "path",
    "relevant_file": "path",
    "existing_code": "quote",
    "code": "quote",
    "snippet": "quote",
    "code_snippet": "quote",
    "suggestion_content": "body",
    "content": "body",
    "message": "body",
    "description": "body",
    "details": "body",
    "explanation": "body",
    "one_sentence_summary": "title",
    "issue_header": "title",
    "summary": "title",
    "headline": "title",
    "relevant_lines_start": "start_line",
    "relevant_lines_end": "end_line",
    "line_start": "start_line",
    "line_end": "end_line",
    "line_number": "start_line",
    "line": "start_line",
    "label": "category",
    "type": "category",
    "kind": "category",
    "priority": "severity",
    "level": "severity",
    "improved_code": "replacement",
    "fix": "replacement",
    "suggested_code": "replacement",
}
_WRAPPERS = (
    "findings",
    "issues",
    "comments",
    "code_suggestions",
    "suggestions",
    "results",
    "result",
    "review",
    "data",
    "output",
    "answer",
    "response",
)
_TELLING = ("title", "body", "verdict")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DEEPEST_WRAPPER = 4


class Shape(Struct, frozen=True):
    """The findings of a document as mappings with our keys, and how many entries were none."""

    findings: tuple[dict[str, Any], ...]
    files_reviewed: tuple[str, ...] = ()
    strangers: int = 0


def shape_of(document: Any, list_key: str = "findings") -> Shape | None:
    """A document in our shape; None where it holds neither the list nor a finding."""
    for candidate in _unwrapped(document, 0):
        found = _from_mapping(candidate, list_key) if isinstance(candidate, dict) else _from_list(candidate)
        if found is not None:
            return found
    return None


def _unwrapped(document: Any, depth: int) -> Iterator[Any]:
    """The document and what its wrappers hold, outermost first."""
    if isinstance(document, (dict, list)):
        yield document
    if not isinstance(document, dict) or depth > _DEEPEST_WRAPPER:
        return
    keys = {snake(key): key for key in document}
    for name in [key for key in _WRAPPERS if key in keys] or (list(keys) if len(keys) == 1 else []):
        yield from _unwrapped(document[keys[name]], depth + 1)


def _from_mapping(document: dict[str, Any], list_key: str) -> Shape | None:
    renamed = {snake(key): value for key, value in document.items()}
    if list_key in renamed:
        listed = renamed[list_key]
        if isinstance(listed, dict):
            listed = [listed] if listed else None
        if not isinstance(listed, list):
            return None
        found = _entries(listed)
        if listed and not found.findings:
            return None
        files = renamed.get("files_reviewed")
        names = tuple(name for name in files if isinstance(name, str)) if isinstance(files, list) else ()
        return Shape(found.findings, names, found.strangers)
    entry = renamed_entry(document)
    return Shape((entry,)) if is_finding(entry) and entry.get("path") else None


def _from_list(document: list[Any]) -> Shape | None:
    found = _entries(document)
    return found if found.findings else None


def _entries(listed: list[Any]) -> Shape:
    entries = [renamed_entry(entry) for entry in listed if isinstance(entry, dict)]
    findings = tuple(entry for entry in entries if is_finding(entry))
    return Shape(findings, strangers=len(listed) - len(findings))


def is_finding(entry: Mapping[str, Any]) -> bool:
    return any(entry.get(key) for key in _TELLING)


def renamed_entry(entry: Mapping[Any, Any]) -> dict[str, Any]:
    """An entry with our keys; a key that is ours already wins over an alias of it."""
    found: dict[str, Any] = {}
    for key, value in entry.items():
        name = snake(key)
        ours = _ALIASES.get(name, name)
        if ours == name or ours not in found:
            found[ours] = value
    return found


def snake(key: Any) -> str:
    """A key in snake case, whatever case it came in."""
    return re.sub(r"[\s-]+", "_", _CAMEL.sub("_", str(key).strip())).lower()
