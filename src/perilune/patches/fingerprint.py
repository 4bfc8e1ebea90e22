"""Identity of findings: by the code they stand on and by similar words, never by a line number."""

import re
from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

from perilune.patches.scene import normalise

SIMILAR_ON_EQUAL_CODE = 0.5
SIMILAR_OTHERWISE = 0.7

_WORD = re.compile(r"[A-Za-z_$][\w$]*(?:[.:]+[A-Za-z_$][\w$]*)*|\d+|[\u3400-\u9fff]+")
_IDENTIFIER = re.compile(r"[_$.:\d]|[a-z][A-Z]")
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can could do does for from had has have if in into is it its may might no "
        "not of on or should so than that the then there this to was were when which while will with would you your",
    ),
)


class Identity(Struct, frozen=True):
    """What a finding is recognised by."""

    fingerprint: str
    fingerprint_code: str
    occurrence: int
    symbol: str


def identify(path: str, quote: str, symbol: str, occurrence: int, category: str) -> Identity:
    """The identity of a finding at `quote` in `symbol` of `path`."""
    code = _digest("perilune/v1", path, anchor_text(quote), symbol, str(occurrence))
    return Identity(_digest(code, category), code, occurrence, symbol)


def anchor_text(quote: str) -> str:
    """Quoted lines with blanks collapsed; comments and digits stay."""
    return "\n".join(normalise(line) for line in quote.split("\n"))


def occurrence_of(quote: str, start: int, lines: Sequence[str], first: int = 1) -> int:
    """How many equal runs begin before line `start` among `lines`, of which the first has number `first`."""
    wanted = anchor_text(quote).split("\n")
    normal = [normalise(line) for line in lines[: max(start - first, 0) + len(wanted) - 1]]
    return sum(1 for at in range(min(start - first, len(normal))) if normal[at : at + len(wanted)] == wanted)


def are_similar(one: str, other: str, *, same_code: bool) -> bool:
    """Whether two texts say the same thing, more easily believed on equal code."""
    return similarity(one, other) >= (SIMILAR_ON_EQUAL_CODE if same_code else SIMILAR_OTHERWISE)


def similarity(one: str, other: str) -> float:
    """Shared weight of the token sets of two texts, against the smaller of them mixed with their union.

    Identifiers weigh double, stop words nothing; CJK text is compared by bigrams.
    """
    first, second = tokens(one), tokens(other)
    if not first or not second:
        return 1.0 if one.strip() == other.strip() else 0.0
    shared = sum(min(weight, second[token]) for token, weight in first.items() if token in second)
    smaller = min(sum(first.values()), sum(second.values()))
    union = sum({**first, **second}.values())
    return (shared / smaller + shared / union) / 2


def tokens(text: str) -> dict[str, int]:
    """The words of a text with their weights."""
    found: dict[str, int] = {}
    for word in _WORD.findall(text):
        if "\u3400" <= word[0] <= "\u9fff":
            found.update({word[at : at + 2]: 1 for at in range(max(len(word) - 1, 1))})
        elif word.lower() not in _STOP:
            found[_stem(word)] = 2 if _IDENTIFIER.search(word) else 1
    return found


def _stem(word: str) -> str:
    low = word.lower()
    for ending in ("ing", "ed", "es", "s"):
        if low.endswith(ending) and len(low) - len(ending) >= 4:
            low = low.removesuffix(ending)
            break
    return low.removesuffix("e") if len(low) > 4 else low


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
