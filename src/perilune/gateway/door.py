"""The door: which host names and origins are served, and who is asking. Source: gateway reference 1.1, 7.3, 10."""

import hmac
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from perilune.core.addresses import is_loopback
from perilune.core.errors import Problem
from perilune.core.secret import Secret
from perilune.gateway.admission import Priority
from perilune.gateway.budgets import KeyLimits

_USUAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
KEY_PREFIX = "plk_"
_PRIORITIES = {"interactive": Priority.INTERACTIVE, "review": Priority.REVIEW, "batch": Priority.BATCH}


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks. `models` and `routes` are globs and names a key is limited to, None for no limit."""

    owner: str = "local"
    key_id: str | None = None
    priority: Priority = Priority.INTERACTIVE
    models: tuple[str, ...] | None = None
    routes: tuple[str, ...] | None = None
    limits: KeyLimits | None = None


class KeyBook(Protocol):
    """The gateway's own keys, in memory."""

    def find(self, text: str) -> Caller | None:
        """Who holds this key; None for an unknown, revoked or expired one."""
        ...

    def has_ended(self, key_id: str) -> bool:
        """Whether the running answers of a key are to end now."""
        ...


class Door(Struct, kw_only=True):
    """Looks at every request before anything else is done with it."""

    listens_on_loopback: bool = True
    requires_key: bool = False
    hosts: tuple[str, ...] = ()
    token: Secret | None = None
    keys: KeyBook | None = None

    def refuse_origin(self, headers: Mapping[str, str]) -> Problem | None:
        """Names that lead here by a trick of DNS, and pages of other sites."""
        host = headers.get("host", "")
        if not self._is_served(_name(host)):
            return Problem(code="PL-WEB-HOST", facts={"host": host[:100]})
        origin = headers.get("origin")
        if origin is not None and not self._is_own(origin, host):
            return Problem(code="PL-WEB-ORIGIN", facts={"origin": origin[:100]})
        return None

    def caller(self, headers: Mapping[str, str]) -> Caller | Problem:
        """Who asks. On loopback any text passes but one that claims to be a key of ours."""
        text = _credential(headers)
        if text.startswith(KEY_PREFIX):
            found = self.keys.find(text) if self.keys is not None else None
            return found or Problem(code="PL-GW-KEY", facts={"tail": text[-4:]})
        if self.token is not None and text and hmac.compare_digest(text.encode(), self.token.reveal().encode()):
            return Caller(owner="token")
        if self.requires_key or not self.listens_on_loopback:
            return Problem(code="PL-GW-KEY", facts={"tail": text[-4:]}, variant="" if text else "NONE")
        return Caller()

    def has_ended(self, key_id: str) -> bool:
        """Whether a key was revoked together with its running answers."""
        return self.keys is not None and self.keys.has_ended(key_id)

    def _is_served(self, name: str) -> bool:
        return name in _USUAL_NAMES or is_loopback(name) or name in self.hosts

    def _is_own(self, origin: str, host: str) -> bool:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def lowered(priority: Priority, asked: str | None) -> Priority:
    """The class a request runs in: a header may lower it, never raise it."""
    return max(priority, _PRIORITIES.get((asked or "").lower(), priority))


def _credential(headers: Mapping[str, str]) -> str:
    authorization = headers.get("authorization", "")
    scheme, _, text = authorization.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()
