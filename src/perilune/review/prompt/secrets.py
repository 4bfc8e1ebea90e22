"""Secrets in text that would be sent out: replaced by markers, line for line, and named without their value."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct

_KINDS = (
    ("key", re.compile(r"\bsk-(?:kimi-|or-|ant-|proj-)?[A-Za-z0-9_-]{16,}")),
    ("github", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})")),
    ("gitlab", re.compile(r"\bgl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{16,}")),
    ("slack", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("aws", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("google", re.compile(r"\bAIza[A-Za-z0-9_-]{30,}")),
    ("jwt", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")),
)
_ASSIGNED = re.compile(
    r"""(?ix)(?P<name>[\w.-]{0,40}(?:password|passwd|pwd|secret|api_?key|access_?key|auth_?token|private_?key))
    ["']?\s{0,8}(?::=|=>|=|:)\s{0,8}["'](?P<value>[^"'\s]{8,200})["']""",
)
_PLACEHOLDER = re.compile(
    r"(?i)\$\{|\{\{|<[a-z_ -]+>|example|changeme|placeholder|your[_-]|xxxx|\*\*\*\*|getenv|environ|dummy"
)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_BASE64 = re.compile(r"[\s\"'+,\\n]*[A-Za-z0-9+/=]{40,}[\s\"'+,\\n]*")
_LEAST_ENTROPY = 3.0
_LONGEST_LINE = 20_000


class Hit(Struct, frozen=True):
    """A secret found in one line: what kind, and at which index of the lines handed in."""

    index: int
    kind: str


class Redactor:
    """Replaces secrets; equal ones get equal markers. Lines are handed in as they follow each other in one file."""

    def __init__(self, *, is_on: bool = True) -> None:
        self._is_on = is_on
        self._numbers: dict[str, int] = {}

    def redact(self, lines: Sequence[str]) -> tuple[list[str], list[Hit]]:
        """The lines with markers in place of secrets, and what was found."""
        if not self._is_on:
            return list(lines), []
        shown: list[str] = []
        hits: list[Hit] = []
        in_pem = _pem_lines(lines)
        for index, line in enumerate(lines):
            if index in in_pem:
                shown.append(self._marker("pem", "pem"))
                hits.append(Hit(index, "pem"))
                continue
            text, kinds = self._redact_line(line)
            shown.append(text)
            hits += [Hit(index, kind) for kind in kinds]
        return shown, hits

    def _redact_line(self, line: str) -> tuple[str, list[str]]:
        head, tail = line[:_LONGEST_LINE], line[_LONGEST_LINE:]
        kinds: list[str] = []

        def replace(kind: str, value: str) -> str:
            kinds.append(kind)
            return self._marker(kind, value)

        for kind, pattern in _KINDS:
            head = pattern.sub(partial(_replaced, replace, kind), head)
        head = _ASSIGNED.sub(lambda match: self._assigned(match, replace), head)
        return head + tail, kinds

    def _assigned(self, match: re.Match[str], replace: Callable[[str, str], str]) -> str:
        value = match["value"]
        if value.startswith("⟨secret:") or not _looks_secret(value):
            return match[0]
        start = match.start("value") - match.start()
        return match[0][:start] + replace("password", value) + match[0][start + len(value) :]

    def _marker(self, kind: str, value: str) -> str:
        number = self._numbers.setdefault(value, len(self._numbers) + 1)
        return f"⟨secret:{kind}:{number}⟩"


def _replaced(replace: Callable[[str, str], str], kind: str, match: re.Match[str]) -> str:
    return replace(kind, match[0])


def _looks_secret(value: str) -> bool:
    if _PLACEHOLDER.search(value):
        return False
    counts = Counter(value)
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    kinds = (str.isdigit, str.isupper, str.islower, lambda char: not char.isalnum())
    return entropy >= _LEAST_ENTROPY and sum(any(map(kind, value)) for kind in kinds) >= 2


def _pem_lines(lines: Sequence[str]) -> set[int]:
    """The lines of private keys, also where the diff shows only their beginning or end."""
    found: set[int] = set()
    for index, line in enumerate(lines):
        if _PEM_BEGIN.search(line):
            found |= _block_from(lines, index)
        elif _PEM_END.search(line) and index not in found:
            found |= _block_before(lines, index)
    return found


def _block_from(lines: Sequence[str], start: int) -> set[int]:
    block = {start}
    if _PEM_END.search(lines[start]):
        return block
    for index in range(start + 1, len(lines)):
        if not (_PEM_END.search(lines[index]) or _BASE64.fullmatch(lines[index]) or _is_pem_text(lines[index])):
            break
        block.add(index)
        if _PEM_END.search(lines[index]):
            break
    return block


def _is_pem_text(line: str) -> bool:
    """Short last lines, headers and blank lines of a key block."""
    bare = line.strip().strip("\"',+\\n")
    return not bare or ":" in bare[:24] or re.fullmatch(r"[A-Za-z0-9+/=]{1,76}", bare) is not None


def _block_before(lines: Sequence[str], end: int) -> set[int]:
    block = {end}
    for index in range(end - 1, -1, -1):
        if not (_BASE64.fullmatch(lines[index]) or re.fullmatch(r"[A-Za-z0-9+/=]{1,76}", lines[index].strip())):
            break
        block.add(index)
    return block
