"""Names that a replacement brings in: a fix that calls what nobody defines is half a fix."""

import re
from collections.abc import Sequence

from perilune.review.structure.definitions import calls, definitions

_JAVASCRIPT = """Array ArrayBuffer BigInt Boolean DataView Date Error Function Intl Map Number Object Promise Proxy
RangeError RegExp Set String Symbol SyntaxError TypeError URL URLSearchParams Uint8Array WeakMap WeakSet
AbortController atob btoa clearInterval clearTimeout decodeURI decodeURIComponent encodeURI encodeURIComponent fetch
import isFinite isNaN parseFloat parseInt queueMicrotask require setImmediate setInterval setTimeout structuredClone
super"""
_GO = """append cap clear close complex copy delete imag len make max min new panic print println real recover
bool byte complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32
uint64 uintptr func"""
_RUST = """Box Err None Ok Some Vec assert assert_eq assert_ne bail cfg concat debug_assert drop eprint eprintln format
include_str matches panic print println todo unimplemented unreachable vec write writeln"""
_KNOWN = {
    "js": _JAVASCRIPT, "mjs": _JAVASCRIPT, "cjs": _JAVASCRIPT, "jsx": _JAVASCRIPT, "ts": _JAVASCRIPT,
    "mts": _JAVASCRIPT, "tsx": _JAVASCRIPT, "go": _GO, "rs": _RUST,
}  # fmt: skip
_WILD = re.compile(r"^\s*(?:from\s+\S+\s+import\s+\*|use\s+.*\*\s*;|import\s+\.\s)", re.MULTILINE)


def introduces_unknown(path: str, text: str, start: int, old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether new lines call a bare name that neither the file, nor they, nor the language knows.

    Shape: `new` stands at line `start` (from 1) in place of `old`. Said for languages whose own names are known here.
    """
    known = _own_names(path.rpartition(".")[2].lower())
    if known is None or _WILD.search(text):
        return False
    lines = text.split("\n")
    after = [*lines[: start - 1], *new, *lines[start - 1 + len(old) :]]
    numbers = range(start, start + len(new))
    called = {call.name for call in calls(path, after, numbers) if call.is_bare}
    defined = {symbol.name for symbol in definitions(path, after)} | _assigned(new)
    return bool(called - known - defined - set(re.findall(r"[\w$]+", text)))


def _own_names(ending: str) -> set[str] | None:
    """The names that a language has by itself."""
    if ending in ("py", "pyi"):
        import builtins  # only here: nothing else needs the names of the language

        return set(dir(builtins))
    words = _KNOWN.get(ending)
    return None if words is None else set(words.split())


def _assigned(lines: Sequence[str]) -> set[str]:
    """What the lines themselves import or bind."""
    found: set[str] = set()
    for line in lines:
        found |= {word for match in re.finditer(r"\b(?:import|as|use)\s+(.*)", line) for word in _words(match[1])}
        found |= set(re.findall(r"([A-Za-z_$][\w$]*)\s*:?=(?!=)", line))
        found |= set(re.findall(r"\b(?:const|let|var)\s+([\w$]+)", line))
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z_$][\w$]*", text)
