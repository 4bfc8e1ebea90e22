"""Webhooks as values: a delivery whose signature holds, and what it says. Pure; the caller has read the body raw."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from perilune.core.decoding import decoded
from perilune.forges.contract.port import Person

EventKind = Literal["run", "cancel", "command", "learn", "other"]
Fault = Literal["sign", "stale", "body"]


class HookFault(Struct, frozen=True):
    """Why a delivery is not taken."""

    why: Fault


class Delivery(Struct, frozen=True, kw_only=True):
    """A delivery that was signed for us. `is_weak`: by a shared word that does not protect the body."""

    id: str
    event: str
    document: Mapping[str, Any]
    is_weak: bool = False


class HookComment(Struct, frozen=True, kw_only=True):
    """A comment as an event names it."""

    id: str
    body: str
    author: Person
    thread_id: str | None = None
    in_thread: bool = False


class HookEvent(Struct, frozen=True, kw_only=True):
    """What a delivery says. Its words are hints: everything that counts is read again from the forge."""

    kind: EventKind
    action: str
    repository: str
    number: int = 0
    head: str | None = None
    base_ref: str = ""
    title: str = ""
    state: str = "open"
    is_draft: bool = False
    is_fork: bool = False
    labels: tuple[str, ...] = ()
    author: Person = Person(login="")
    sender: Person = Person(login="")
    comment: HookComment | None = None


class HookReader(Protocol):
    """How one kind of forge signs and speaks."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> Delivery | HookFault:
        """The delivery, where one of the secrets has signed it. Header names are lower case."""
        ...

    def read(self, delivery: Delivery) -> HookEvent:
        """What it says; kind `other` for what does not concern us."""
        ...


def hex_digest(secret: str, body: bytes) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(given: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets gives this hex digest; compared in constant time, an empty one never counts."""
    value = given.lower().encode()
    checks = [hmac.compare_digest(value, hex_digest(secret, body).encode()) for secret in secrets if secret]
    return bool(given) and any(checks)


def delivery_id(given: str | None, body: bytes) -> str:
    """The id a delivery is known by: the forge's, else the body's own digest."""
    return given or f"sha256:{hashlib.sha256(body).hexdigest()}"


def document_of(body: bytes) -> dict[str, Any] | None:
    """The table that a body holds, None where it holds none or one too deep to read."""
    try:
        return decoded(body, dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def table(document: Any, *names: str) -> dict[str, Any]:
    """A table inside a document, empty where it is not there."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def tables(value: Any) -> list[dict[str, Any]]:
    """The tables of a list, none where it is not one."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def number(document: Mapping[str, Any], name: str) -> int:
    value = document.get(name)
    return value if isinstance(value, int) else 0
