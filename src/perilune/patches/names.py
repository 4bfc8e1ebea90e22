"""File names as they stand in patch headers: quoting, prefixes, trailing tabs."""

import re

from msgspec import Struct

DEV_NULL = b"/dev/null"

_ESCAPES = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PAIRS = {(b"a", b"b"), (b"i", b"w"), (b"c", b"i"), (b"c", b"w"), (b"o", b"w"), (b"1", b"2")}
_PREFIX_PAIRS = _PAIRS | {(new, old) for old, new in _PAIRS}
_PREFIXES = {prefix for pair in _PREFIX_PAIRS for prefix in pair}
_MOST_SPLITS = 64


class NamePair(Struct, frozen=True):
    """Old and new name of a section without their prefixes; None stands for /dev/null or not told.

    Shape: `is_prefixed` says whether the two names showed a prefix, None where they could not; `is_final` names were
    told without any prefix.
    """

    old: bytes | None
    new: bytes | None
    is_prefixed: bool | None = None
    is_final: bool = False


def unquote(raw: bytes) -> bytes:
    """A name as git writes it: C-quoted names are unquoted, others returned as they are."""
    match = _QUOTED.fullmatch(raw)
    return _ESCAPE.sub(_unescape, match[1]) if match else raw


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1].isdigit():
        return bytes([int(code, 8) & 0xFF])
    return _ESCAPES.get(code, code)


def header_name(rest: bytes) -> bytes:
    """The name of a `---` or `+++` line: what follows a tab (a time stamp, or nothing) is cut."""
    rest = rest.removesuffix(b"\r")
    match = _QUOTED.match(rest)
    if match:
        return unquote(match[0])
    return rest.partition(b"\t")[0]


def strip_pair(old: bytes | None, new: bytes | None) -> NamePair:
    """Two header names without prefix; it is cut only where both names agree that it is one."""
    if old is None or new is None:
        return NamePair(old, new)
    if old == new:
        return NamePair(old, new, is_prefixed=False)
    old_head, old_slash, old_rest = old.partition(b"/")
    new_head, new_slash, new_rest = new.partition(b"/")
    both = bool(old_slash and new_slash)
    if both and (old_rest == new_rest or (old_head, new_head) in _PREFIX_PAIRS):
        return NamePair(old_rest, new_rest, is_prefixed=True)
    return NamePair(old, new, is_prefixed=False)


def strip_lone(name: bytes) -> bytes:
    """A name that has no partner, without a known prefix."""
    head, slash, rest = name.partition(b"/")
    return rest if slash and head in _PREFIXES and rest else name


def split_git_line(rest: bytes) -> NamePair:
    """The two names of a `diff --git` line, which are equal but for their prefix where no header tells them."""
    rest = rest.removesuffix(b"\r")
    quoted = _split_quoted(rest)
    if quoted is not None:
        return strip_pair(*quoted)
    middle = len(rest) // 2
    candidates = [middle] if len(rest) % 2 and rest[middle : middle + 1] == b" " else []
    position = rest.find(b" ")
    while position != -1 and len(candidates) < _MOST_SPLITS:
        candidates.append(position)
        position = rest.find(b" ", position + 1)
    pairs = (strip_pair(rest[:at], rest[at + 1 :]) for at in candidates)
    return next((pair for pair in pairs if pair.old == pair.new), NamePair(None, None))


def _split_quoted(rest: bytes) -> tuple[bytes, bytes] | None:
    first = _QUOTED.match(rest)
    if first:
        return unquote(first[0]), unquote(rest[first.end() + 1 :])
    if rest.endswith(b'"'):
        start = rest.find(b' "')
        if start != -1:
            return rest[:start], unquote(rest[start + 1 :])
    return None


def quoted(name: bytes) -> str:
    """A name as git writes it in a patch: C-quoted where it holds quotes, backslashes, control or other bytes."""
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in name):
        return name.decode() + ("\t" if b" " in name else "")
    named = {value[0]: key.decode() for key, value in _ESCAPES.items()}
    named |= {0x22: '"', 0x5C: "\\"}
    pieces = (
        f"\\{named[byte]}" if byte in named else chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in name
    )
    return f'"{"".join(pieces)}"'
