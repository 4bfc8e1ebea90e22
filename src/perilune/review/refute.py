"""Refuters that need no model: each has a reason that is kept."""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from perilune.patches.finding import Finding
from perilune.patches.scene import normalise

_NAME = r"[`'\"]?([A-Za-z_$][\w$.]{2,})(?:\(\))?[`'\"]?"
_MISSING = re.compile(
    rf"{_NAME} (?:is|are|was) (?:not defined|undefined|never defined|not declared|undeclared|missing)"
    rf"|(?:undefined|undeclared|unknown|missing) (?:name|variable|function|symbol|method|class|identifier) {_NAME}",
)
_UNUSED = re.compile(
    rf"{_NAME} (?:is|are) (?:never used|unused|not used)|unused (?:import|variable|function|parameter) {_NAME}"
)
_IMPORT = re.compile(rf"{_NAME} (?:is|was) (?:not|never) imported|[Mm]issing import (?:of|for) {_NAME}")
_MARKS = re.compile(r"⟨(?:secret|cut)\b|⟨U\+")
_ABOUT_MARKS = re.compile(r"(?i)\b(?:truncat|cut off|incomplete|redact|placeholder|corrupt)")
_CHECK_MISSING = re.compile(
    r"(?i)\b(?:missing|no|without|lacks?|never)\b.{0,30}\b(?:null|nil|none|undefined|error|err)\b.{0,12}\bcheck"
)
_CHECK = re.compile(
    r"is (?:not )?None|[!=]==? ?(?:null|undefined|nil|None)|if err\b|\bif not \w+|except\b|catch\b|\?\.|\bassert\b"
)
_IMPORTED = re.compile(r"^\s*(?:from\s+\S+\s+)?(?:import|use|using|require|#include)\b|\brequire\(|\bimport\s*\(")


class Around(Struct, frozen=True):
    """What a finding is held against: the new content of its file, the files shown, and a search of the head."""

    head: Sequence[str] | None
    shown: Sequence[str]
    defined_at_head: Callable[[str], bool]


def refutation(finding: Finding, around: Around) -> str | None:
    """Why a finding is wrong, None where nothing here says so."""
    text = f"{finding.title} {finding.body} {finding.trigger}"
    if finding.anchor.path not in around.shown:
        return "the file was not shown"
    checks: tuple[Callable[[], str | None], ...] = (
        lambda: _marks(text, finding),
        lambda: _missing(text, around),
        lambda: _unused(text, around),
        lambda: _not_imported(text, around),
        lambda: _check_present(text, finding, around),
    )
    return next((reason for reason in (check() for check in checks) if reason), None)


def _marks(text: str, finding: Finding) -> str | None:
    about = _MARKS.search(text) or (_ABOUT_MARKS.search(text) and _MARKS.search(finding.anchor.quote))
    return "it complains of a mark of the harness" if about else None


def _missing(text: str, around: Around) -> str | None:
    name = _named(_MISSING, text)
    if name is None:
        return None
    defined = any(_defines(line, name) for line in around.head or ()) or around.defined_at_head(name)
    return f"{name} is defined at the head" if defined else None


def _defines(line: str, name: str) -> bool:
    bare = re.escape(name)
    declared = rf"\b(?:def|class|func|function|fn|const|let|var|type|struct|interface|enum)\s+{bare}\b"
    assigned = rf"^\s*{bare}\s*(?::[^=]+)?=[^=]"
    if re.search(f"{declared}|{assigned}", line[:500]) is not None:
        return True
    return _IMPORTED.search(line) is not None and _has_word(line, name)


def _unused(text: str, around: Around) -> str | None:
    name = _named(_UNUSED, text)
    if name is None or around.head is None:
        return None
    uses = [line for line in around.head if _has_word(line, name) and not _defines(line, name)]
    return f"{name} is used: {normalise(uses[0])[:80]}" if uses else None


def _not_imported(text: str, around: Around) -> str | None:
    name = _named(_IMPORT, text)
    if name is None:
        return None
    found = [line for line in around.head or () if _IMPORTED.search(line) and _has_word(line, name)]
    return f"{name} is imported" if found else None


def _check_present(text: str, finding: Finding, around: Around) -> str | None:
    if not _CHECK_MISSING.search(text):
        return None
    known = {normalise(line) for line in around.head or ()}
    for evidence in finding.evidence:
        lines = [normalise(line) for line in evidence.quote.split("\n")]
        if any(_CHECK.search(line) for line in lines) and all(line in known for line in lines):
            return "its own evidence holds the check"
    return None


def _named(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    if match is None:
        return None
    name = next(group for group in match.groups() if group)
    return name.rpartition(".")[2] or None


def _has_word(line: str, name: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", line[:2000]) is not None
