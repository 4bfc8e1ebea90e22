"""How much a file's change is worth reading first: a fixed table, printed by `--preview`."""

import re
from pathlib import PurePosixPath

from msgspec import Struct

from perilune.patches.model import File, LineKind

_PATHS = (
    ("auth", 40, r"auth|login|session|permission|access|acl|oauth|jwt|token"),
    ("crypto", 40, r"crypt|cipher|signature|hmac|tls|ssl|secret|vault|keyring"),
    ("payment", 40, r"pay|billing|invoice|refund|charge|checkout|ledger|money"),
    ("migration", 35, r"migrat|schema|alembic"),
    ("concurrency", 35, r"lock|mutex|thread|queue|async|worker|lease|semaphore"),
    ("ci", 30, r"^\.github/workflows/|^\.gitlab-ci|jenkinsfile|^\.circleci/"),
    ("infrastructure", 30, r"dockerfile|docker-compose|terraform|\.tf$|helm|k8s|kubernetes|ansible|deploy|nginx"),
)
_LOW = (
    ("tests", 5, r"(^|/)(tests?|spec|specs|__tests__|testdata|fixtures)(/|$)|(^|/)test_[^/]*$|_test\.|\.(test|spec)\."),
    (
        "docs",
        2,
        r"(^|/)(docs?|documentation|[a-z]+_docs)(/|$)|\.(md|rst|adoc|txt)$|(^|/)(license|changelog|readme)[^/]*$",
    ),
    ("style", 3, r"\.(css|scss|less|sass|svg)$"),
)
_SENSITIVE = (
    ("exec", 8, r"\b(?:exec|system|popen|spawn|subprocess|shell)\b"),
    ("eval", 8, r"\beval\b|\bFunction\("),
    ("sql", 8, r"(?i)\b(?:select|insert|update|delete)\b.{0,60}(?:\+|%s|\$\{|\{|\|\|)"),
    ("unsafe", 6, r"\bunsafe\b|\btransmute\b|\bunwrap\(\)"),
    ("deserialise", 8, r"\b(?:pickle|yaml\.load|unserialize|readObject|marshal)\b"),
    ("locks", 6, r"\b(?:lock|acquire|release|mutex|synchronized|atomic)\b"),
    ("secrets", 8, r"(?i)\b(?:password|passwd|secret|token|api_?key|private_?key)\b"),
)
_HIGH = [(name, weight, re.compile(pattern, re.IGNORECASE)) for name, weight, pattern in _PATHS]
_LOWER = [(name, weight, re.compile(pattern, re.IGNORECASE)) for name, weight, pattern in _LOW]
_TOKENS = [(name, weight, re.compile(pattern)) for name, weight, pattern in _SENSITIVE]
_NORMAL = 15
_MOST_LINE = 500
HIGH_RISK = 50

_CODE = frozenset(
    re.findall(
        r"\S+",
        ".py .pyi .js .mjs .cjs .jsx .ts .tsx .go .rs .java .kt .kts .scala .c .h .cc .cpp .hpp .cs .rb .php .swift .m"
        " .mm .sh .bash .zsh .pl .lua .ex .exs .erl .hs .ml .clj .dart .zig .sql .vue .svelte .tf .nix .sol .r .jl"
        " .groovy .ps1",
    ),
)


class Risk(Struct, frozen=True):
    """A score and the words for it."""

    score: int
    reasons: tuple[str, ...]


def risk_of(file: File, rule_weight: int = 0) -> Risk:
    """The risk of one file: path class, changed lines, sensitive words in added lines, severity of its rules."""
    name, weight = _path_class(file.name)
    words = _sensitive(file)
    size = min(file.changed // 10, 20)
    score = weight + size + min(sum(words.values()), 24) + rule_weight
    return Risk(score, (name, *words))


def is_source(path: str) -> bool:
    """Whether a path is code that is neither test nor documentation."""
    return PurePosixPath(path).suffix.lower() in _CODE and _path_class(path)[0] not in ("tests", "docs", "style")


def _path_class(path: str) -> tuple[str, int]:
    for name, weight, pattern in _LOWER:
        if pattern.search(path):
            return name, weight
    for name, weight, pattern in _HIGH:
        if pattern.search(path):
            return name, weight
    return ("source", _NORMAL) if PurePosixPath(path).suffix.lower() in _CODE else ("other", _NORMAL - 5)


def _sensitive(file: File) -> dict[str, int]:
    added = [line.text[:_MOST_LINE] for hunk in file.hunks for line in hunk.lines if line.kind is LineKind.ADDED]
    return {name: weight for name, weight, pattern in _TOKENS if any(pattern.search(line) for line in added[:2000])}
