"""The journal: every request the sandbox saw, with secrets masked."""

import hashlib
import re
from collections import Counter, deque
from datetime import datetime
from fnmatch import fnmatchcase

from msgspec import Struct

_SECRET_HEADERS = ("authorization", "x-api-key", "cookie", "proxy-authorization")
_KEEP = 10_000


class Recorded(Struct, kw_only=True):
    """One request as it came, and what became of it.

    Shape: `key` is the label of the credential in the scenario ("" when it is unknown), `fingerprint` tells any two
    credentials apart; `outcome` is `open`, `answered`, `reset`, `cut` or `client-left`; `connection` numbers the
    connection, `on_connection` the requests on it from 1.
    """

    number: int
    at: datetime
    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    key: str = ""
    fingerprint: str = ""
    account: str = ""
    model: str = ""
    is_stream: bool = False
    body_size: int = 0
    body: str | None = None
    status: int | None = None
    outcome: str = "open"
    fault: str = ""
    connection: int = 0
    on_connection: int = 1


class Journal:
    """Keeps the last 10,000 requests and counts all of them by path."""

    def __init__(self) -> None:
        self._kept: deque[Recorded] = deque(maxlen=_KEEP)
        self.by_path: Counter[str] = Counter()
        self._count = 0

    def open(self, entry: Recorded) -> Recorded:
        self._count += 1
        entry.number = self._count
        self._kept.append(entry)
        self.by_path[entry.path] += 1
        return entry

    def select(self, *, path: str = "*", host: str = "*", key: str = "*", method: str = "*") -> list[Recorded]:
        """The kept requests that match the globs, oldest first."""
        return [
            entry
            for entry in self._kept
            if fnmatchcase(entry.path, path)
            and fnmatchcase(entry.host, host)
            and fnmatchcase(entry.key, key)
            and fnmatchcase(entry.method, method)
        ]

    def clear(self) -> None:
        self._kept.clear()
        self.by_path.clear()


def fingerprint(secret: str) -> str:
    """Eight hex digits that tell secrets apart."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8] if secret else ""


def masked(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name with credentials replaced by their fingerprint."""
    shown: dict[str, str] = {}
    for name, value in headers:
        if name in _SECRET_HEADERS:
            value = re.sub(
                r"(?:(Bearer) )?(.+)", lambda found: f"{found[1] or ''} •{fingerprint(found[2])}".strip(), value
            )
        shown[name] = f"{shown[name]}, {value}" if name in shown else value
    return shown
