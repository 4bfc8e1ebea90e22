"""Function names and tool ids made fit for the side they go to. Nothing is remembered: equal input, equal output.

Source: gateway reference 1.4 (table of tool ids) and 2.2 (function names).
"""

import hashlib
import re
from collections.abc import Iterable

_BAD_NAME_CHARACTER = re.compile(r"[^a-zA-Z0-9_-]")
_BAD_ID_CHARACTER = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 64


def rename_functions(names: Iterable[str], pattern: str | None) -> dict[str, str]:
    """Names that the upstream does not take, each with the one to send instead. Names that fit keep theirs."""
    if pattern is None:
        return {}
    fits = re.compile(pattern)
    unique = list(dict.fromkeys(names))
    taken = {name for name in unique if fits.search(name)}
    renamed: dict[str, str] = {}
    for name in unique:
        if name not in taken and name not in renamed:
            renamed[name] = _free(_fitting(name), taken | set(renamed.values()))
    return renamed


class MessagesIds:
    """Ids as the Messages dialect takes them; a second call under one id gets `_2`, `_3` …"""

    __slots__ = ("_current", "_taken")

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._current: dict[str, str] = {}

    def of_call(self, call_id: str) -> str:
        """The id of a new call."""
        base = _BAD_ID_CHARACTER.sub("_", call_id) or "call"
        chosen = _free(base, self._taken)
        self._taken.add(chosen)
        self._current[call_id] = chosen
        return chosen

    def of_result(self, call_id: str) -> str:
        """The id under which the latest call of this name went out."""
        return self._current.get(call_id) or _BAD_ID_CHARACTER.sub("_", call_id) or "call"


class OrdinalIds:
    """Ids as Kimi makes them: `function:n`, n counting all calls of the conversation from 0."""

    __slots__ = ("_count", "_current")

    def __init__(self) -> None:
        self._count = 0
        self._current: dict[str, str] = {}

    def of_call(self, call_id: str, name: str) -> str:
        """The id of a new call."""
        chosen = f"{name}:{self._count}"
        self._count += 1
        self._current[call_id] = chosen
        return chosen

    def of_result(self, call_id: str) -> str:
        """The id under which the latest call of this name went out."""
        return self._current.get(call_id, call_id)


def _fitting(original: str) -> str:
    name = _BAD_NAME_CHARACTER.sub("_", original)
    if not re.match(r"[a-zA-Z_]", name):
        name = "_" + name
    name = name.ljust(3, "_")
    if len(name) > _LONGEST:
        name = f"{name[:55]}_{hashlib.sha256(original.encode()).hexdigest()[:8]}"
    return name


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        suffix = f"_{number}"
        candidate = name[: _LONGEST - len(suffix)] + suffix
        number += 1
    return candidate
