"""Faults in wait: which calls of a played forge go wrong, and how."""

from fnmatch import fnmatchcase

from msgspec import Struct, field


class CallFault(Struct, kw_only=True):
    """One thing that goes wrong.

    Shape: `path` is a glob over the path behind the dialect's name. With `accepts` the call is carried out first and
    only its answer is replaced: what a broken proxy does. `cut_at` ends the answer after so many bytes.
    """

    method: str = "*"
    path: str = "*"
    status: int = 502
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    accepts: bool = False
    delay_s: float = 0
    cut_at: int | None = None
    replaces: bool = True
    skip: int = 0
    times: int = 1


class Faults:
    """The faults that were queued, used up in order."""

    def __init__(self) -> None:
        self.waiting: list[CallFault] = []

    def add(self, fault: CallFault) -> None:
        self.waiting.append(fault)

    def take(self, method: str, path: str) -> CallFault | None:
        """The fault of this call, counted."""
        for fault in self.waiting:
            if not (fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path)):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        self.waiting.clear()
