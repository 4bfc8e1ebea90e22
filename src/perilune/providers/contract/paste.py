"""What a person pastes as a key: cleaned, with what was removed, and classified by its beginning."""

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from perilune.catalog.plan import Plan
from perilune.core.errors import CredentialError, UsageError
from perilune.core.keys import has_key_shape
from perilune.core.secret import Secret

Kind = Literal["known", "web-session", "foreign", "unknown"]
RemovedWhat = Literal[
    "spaces", "quotes", "trailing_line_break", "line_break", "full_width", "invisible", "name", "bearer", "punctuation"
]

_INVISIBLE = re.compile("[\ufeff\u200b\u200c\u200d\u2060\u180e]")
_PAIRS = ('""', "''", "“”", "‘’", "``")
_NAME = re.compile(r"(?:export\s+|set\s+|\$env:)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*", re.IGNORECASE)
_BEARER = re.compile(r"(?:authorization\s*:\s*)?bearer\s+|authorization\s*:\s*", re.IGNORECASE)
_CANDIDATE = re.compile(r"(?:^|[\s=\"'“‘,;])(sk-[A-Za-z0-9_-]{8,}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
_WEB = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_FOREIGN = ("sk-ant-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-lf-", "gsk_", "AIza", "xai-", "pplx-", "hf_", "r8_",
            "ghp_", "gho_", "github_pat_", "glpat-", "AKIA", "xoxb-", "plk_")  # fmt: skip


class Removed(Struct, frozen=True):
    """Something that was taken off a paste. `text` only where it holds no part of the key."""

    what: RemovedWhat
    count: int = 1
    text: str = ""


class Pasted(Struct, frozen=True):
    """A key as it will be used, and what was taken off it."""

    secret: Secret
    removed: tuple[Removed, ...] = ()


class Class(Struct, frozen=True):
    """What a key's beginning says: the plan it looks like, the order of asking, never the verdict."""

    kind: Kind
    plan: str | None = None


def clean_paste(text: str) -> Pasted:
    """The key in a paste.

    Raises: PL-ADD-MANY when it holds several; PL-401-SHAPE when what is left cannot be a key; PL-USAGE when nothing is.
    """
    removed: list[Removed] = []
    text = _take(text, _INVISIBLE, "invisible", removed)
    text = _take(text, re.compile("\u3000"), "full_width", removed)
    if len({match[1] for match in _CANDIDATE.finditer(text)}) > 1:
        raise UsageError.of("PL-ADD-MANY")
    text = _take(text, re.compile(r"(?:\r\n|\r|\n)(?=\s*$)"), "trailing_line_break", removed)
    has_space = text != text.strip()
    text = _unwrapped(text, removed)
    text = _take(text, re.compile(r"[ \t]*(?:\r\n|\r|\n)[ \t]*"), "line_break", removed)
    if has_space and not removed:
        removed.append(Removed("spaces"))
    if not text:
        raise UsageError.of("PL-USAGE", variant="empty_key")
    if not has_key_shape(text):
        raise CredentialError.of("PL-401-SHAPE", variant="paste")
    return Pasted(Secret(text), tuple(removed))


def classify(secret: Secret, plans: Iterable[Plan]) -> Class:
    """What the beginning of a key says; the longest known beginning counts."""
    key = secret.reveal()
    if _WEB.fullmatch(key):
        return Class("web-session")
    if key.startswith(_FOREIGN):
        return Class("foreign")
    known = [(len(prefix), plan.id) for plan in plans for prefix in plan.key_prefixes if key.startswith(prefix)]
    return Class("known", max(known)[1]) if known else Class("unknown")


def _take(text: str, pattern: re.Pattern[str], what: RemovedWhat, removed: list[Removed]) -> str:
    text, count = pattern.subn("", text)
    if count:
        removed.append(Removed(what, count))
    return text


def _unwrapped(text: str, removed: list[Removed]) -> str:
    """The text without quotes, names and headers around it, whatever their order."""
    while True:
        before = text
        text = text.strip()
        for pair in _PAIRS:
            if len(text) >= 2 and text[0] == pair[0] and text[-1] == pair[1]:
                text = text[1:-1]
                removed.append(Removed("quotes"))
        text = _take_prefix(text, _BEARER, "bearer", removed)
        text = _take_prefix(text, _NAME, "name", removed)
        if text.endswith((";", ",")):
            text = text[:-1]
            removed.append(Removed("punctuation"))
        if text == before:
            return text


def _take_prefix(text: str, pattern: re.Pattern[str], what: RemovedWhat, removed: list[Removed]) -> str:
    found = pattern.match(text)
    if found is None or not text[found.end() :]:
        return text
    removed.append(Removed(what, text=found[0].strip()))
    return text[found.end() :]


def is_masked(text: str) -> bool:
    """Whether a text is a key as it is shown (`sk-…a1b2`, `•••`, `***`): sent back, it means "unchanged"."""
    return any(sign in text for sign in ("…", "•", "***")) or text.strip() == "..."
