"""Faults: what goes wrong with the next requests that match.

A fault names what it meets (host, path, method, key, all globs), how often, and its effect. Effects add up: an answer
can be refused, late and cut at once.
"""

from fnmatch import fnmatchcase
from typing import Any, Literal

from msgspec import Struct, field, structs

from perilune.sandbox.behaviour import RetryForm

Page = Literal["html-502", "empty-200", "captive", "redirect"]


class Fault(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault.

    Units: `…_s` seconds; `cut_at` bytes of the body; `stall_after`, `error_after`, `malformed_after` content chunks;
    `count` requests, None for all to come; `skip` matching requests to leave alone first.
    Shape: `refusal` is a name of `refusals.REFUSALS`; `body` is JSON or text; `hold` keeps the answer back until
    `World.release`; `reset` `head` before the body was read, `body` after it, `reused` after it on a connection that
    has answered before.
    """

    # what it meets
    host: str = "*"
    path: str = "*"
    method: str = "*"
    key: str = "*"
    count: int | None = 1
    skip: int = 0
    name: str = ""
    # what is said instead
    refusal: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    wait_s: float | None = None
    status: int | None = None
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    page: Page | None = None
    location: str = "https://elsewhere.example/v1"
    # how a stream or an answer is said
    error_first: str | None = None
    error_after: tuple[int, str] | None = None
    inside_200: str | None = None
    usage: Literal["usual", "choice-only", "last-only", "different", "none"] | None = None
    sends_done: bool | None = None
    retry_after: RetryForm | None = None
    as_stream: bool | None = None
    # when and how it reaches the wire
    hold: Literal["headers", "content"] | None = None
    delay_headers_s: float = 0
    delay_content_s: float = 0
    dribble_s: float | None = None
    dribble_size: int = 1
    gap_s: float | None = None
    stall_after: int | None = None
    cut_at: int | None = None
    cut_how: Literal["close", "reset"] = "close"
    malformed_after: int | None = None
    malformed: str = 'data: {"broken'
    comment_after: int | None = None
    newline: Literal["\n", "\r\n", "\r"] | None = None
    reset: Literal["head", "body", "reused"] | None = None
    interim: list[int] = field(default_factory=list)
    both_lengths: bool = False
    huge_header: int = 0
    no_length: bool = False
    truncate_length: int = 0
    wrong_type: str | None = None
    gzip: bool = False
    raw: str | None = None

    def meets(self, host: str, path: str, method: str, key: str) -> bool:
        return (
            fnmatchcase(host, self.host)
            and fnmatchcase(path, self.path)
            and fnmatchcase(method, self.method)
            and fnmatchcase(key, self.key)
        )

    @property
    def replaces_answer(self) -> bool:
        return bool(self.refusal or self.status or self.page or self.body is not None or self.raw)


class FaultQueue:
    """Faults in order of arrival; the first that matches a request is taken."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.waiting.append(structs.replace(fault))

    def clear(self) -> None:
        self.waiting.clear()

    def next_for(self, host: str, path: str, method: str, key: str, *, is_reused: bool = False) -> Fault | None:
        """The first fault that meets such a request, not taken yet."""
        for fault in self.waiting:
            if fault.meets(host, path, method, key) and (fault.reset != "reused" or is_reused):
                return fault
        return None

    def take(self, host: str, path: str, method: str, key: str, *, is_reused: bool) -> Fault | None:
        """The fault of this request, counted down; None where it skips this one."""
        fault = self.next_for(host, path, method, key, is_reused=is_reused)
        if fault is None:
            return None
        if fault.skip > 0:
            fault.skip -= 1
            return None
        self._spend(fault)
        return fault

    def wants_head(self) -> bool:
        """Whether a fault is waiting that strikes before the body is read."""
        return any(fault.reset == "head" and fault.skip == 0 for fault in self.waiting)

    def _spend(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if fault.count <= 0:
            self.waiting = [other for other in self.waiting if other is not fault]
