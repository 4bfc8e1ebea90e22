"""Path patterns.

`**`, `*`, `?`, `[…]`, `{a,b}`; leading `/` = root, trailing `/` = directory; the last match wins, `!` re-includes.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache

_SPECIAL = re.compile(r"/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|\[!?[^\]]+\]|\{[^{}]*\}|.", re.DOTALL)
_MOST_ALTERNATIVES = 32


class Globs:
    """An ordered list of patterns; the last that matches decides."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._rules = [(pattern.startswith("!"), compile_glob(pattern.removeprefix("!"))) for pattern in patterns]

    def matches(self, path: str) -> bool:
        verdict = False
        for is_negative, pattern in self._rules:
            if verdict == is_negative and pattern.fullmatch(path):
                verdict = not is_negative
        return verdict

    def __bool__(self) -> bool:
        return bool(self._rules)


@cache
def compile_glob(pattern: str, *, is_attribute: bool = False) -> re.Pattern[str]:
    """One pattern as an expression over whole paths. An attribute pattern does not reach into directories."""
    bare = pattern.removesuffix("/")
    is_directory = bare != pattern
    is_anchored = "/" in bare
    alternatives = "|".join(_translate(part.removeprefix("/")) for part in _expand(bare))
    start = "" if is_anchored else "(?:.*/)?"
    if is_attribute:
        end = ""
    elif is_directory:
        end = "/.*"
    else:
        end = "(?:/.*)?"
    return re.compile(f"{start}(?:{alternatives}){end}", re.DOTALL)


def _expand(pattern: str) -> list[str]:
    """A pattern with its first alternatives written out, and theirs."""
    waiting = [pattern]
    done: list[str] = []
    while waiting and len(waiting) + len(done) <= _MOST_ALTERNATIVES:
        current = waiting.pop()
        match = re.search(r"\{([^{}]*)\}", current)
        if match is None:
            done.append(current)
        else:
            waiting += [current[: match.start()] + option + current[match.end() :] for option in match[1].split(",")]
    return done + waiting


def _translate(pattern: str) -> str:
    return "".join(_piece(token) for token in _SPECIAL.findall(pattern))


def _piece(token: str) -> str:
    match token:
        case "/**/":
            return "/(?:.*/)?"
        case "**/":
            return "(?:.*/)?"
        case "/**":
            return "/.*"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
    if token.startswith("[") and token.endswith("]") and len(token) > 2:
        return _class(token)
    return re.escape(token)


def _class(token: str) -> str:
    inner = token[1:-1].replace("\\", "\\\\").replace("[", "\\[")
    negated = inner.startswith(("!", "^"))
    expression = f"[{'^/' if negated else ''}{inner[1:] if negated else inner}]"
    try:
        re.compile(expression)
    except re.error:
        return re.escape(token)
    return expression


def any_match(patterns: Iterable[str], path: str) -> bool:
    """Whether one of several patterns matches."""
    return any(compile_glob(pattern).fullmatch(path) for pattern in patterns)
