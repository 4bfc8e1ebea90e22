"""Inputs for fuzzing: samples that are known to be good, made worse in many small ways."""

# ruff: noqa: E501 -- samples stand on one line, as they are sent

import json
import random
from collections.abc import Sequence
from typing import Any

_TOKENS = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b'"', b"\\", b"\\u0000", b"\\ud800", b"{", b"}",
    b"[" * 3_000, b"]", b":", b",", b"-", b"1e400", b"-0", b"9" * 400, b"NaN", b"null", b"true", b"data: ", b"event: ",
    b"[DONE]", b"@@ -1,3 +1,4 @@\n", b"--- a/x\n+++ b/x\n", b"diff --git a/x b/y\n", b"+", b"-", b" ", b"\t", b"\\ No newline",
    b"[[accounts]]\n", b"=", b"#", b"'''", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"GIT binary patch\n", b"rename from ",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, "", "abc", "NaN", True, [], {}, -1, "-1", [1], {"a": 1}, "2026-13-45", 1e300, 10**30, "\u0000", "月", 0.1, [[]], [None],
    "9" * 5_000, {"": None}, "1e999999999",
)  # fmt: skip


def worse(sample: bytes, chance: random.Random) -> bytes:
    """A sample with one to four faults."""
    data = sample
    for _ in range(chance.choice((1, 1, 2, 4))):
        data = _MUTATIONS[chance.randrange(len(_MUTATIONS))](data, chance)
    return data[:200_000]


def _flipped(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << chance.randrange(8)),)) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _without(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.randrange(1, 40) :]


def _with_token(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_TOKENS) + data[at:]


def _twice(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    to = at + chance.randrange(1, 200)
    return data[:to] + data[at:to] + data[to:]


def _noise(_data: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(1, 60))


def _other_value(data: bytes, chance: random.Random) -> bytes:
    """JSON with one value replaced or taken away; other data with a line moved."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        lines = data.split(b"\n")
        lines.insert(chance.randrange(len(lines)), lines[chance.randrange(len(lines))])
        return b"\n".join(lines)
    place, key = document, None
    for _ in range(chance.randrange(1, 6)):
        keys: Sequence[Any] = (
            list(place) if isinstance(place, dict) else range(len(place)) if isinstance(place, list) else ()
        )
        if not keys:
            break
        parent, key = place, chance.choice(keys)
        place = parent[key]
        if chance.random() < 0.3:
            break
    if key is None:
        return data
    if isinstance(parent, dict) and chance.random() < 0.3:
        del parent[key]
    else:
        parent[key] = chance.choice(_VALUES)
    return json.dumps(document).encode(errors="surrogatepass")


_MUTATIONS = (_flipped, _cut, _without, _with_token, _twice, _noise, _other_value, _other_value, _other_value)
