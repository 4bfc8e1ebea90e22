"""Every call a played forge saw, in order."""

from datetime import datetime
from fnmatch import fnmatchcase

from msgspec import Struct


class Entry(Struct, kw_only=True):
    """One call. `path` has no query; `who` is a login, never the token."""

    number: int
    at: datetime
    method: str
    path: str
    query: str = ""
    who: str = ""
    body: str = ""
    status: int = 0
    fault: bool = False


class Journal:
    """The calls seen."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> Entry:
        entry.number = len(self.entries) + 1
        self.entries.append(entry)
        return entry

    def select(self, method: str = "*", path: str = "*") -> list[Entry]:
        """The calls that match the globs, oldest first."""
        return [one for one in self.entries if fnmatchcase(one.method, method) and fnmatchcase(one.path, path)]

    def writes(self) -> list[Entry]:
        """Calls that change something; reads over GraphQL are none."""
        return [one for one in self.entries if one.method not in ("GET", "HEAD") and not _is_reading(one)]

    def clear(self) -> None:
        self.entries.clear()


def _is_reading(entry: Entry) -> bool:
    return "git-upload-pack" in entry.path or (entry.path.endswith("graphql") and "mutation" not in entry.body)
