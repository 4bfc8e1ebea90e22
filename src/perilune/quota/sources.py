"""Which credential source is tried next: a pure decision on how the one before it ended."""

from typing import Literal

from perilune.quota.snapshot import Source

SourceMode = Literal["auto", "api-key", "cli-login", "web-session"]
CookieMode = Literal["auto", "manual", "off"]
Next = Literal["next", "other-host", "stop"]

ORDER: tuple[Source, ...] = ("api-key", "cli-login", "web-session")
ABSENT = frozenset({"PL-CRED-NONE", "PL-LOGIN-NONE", "PL-COOKIE-NONE"})
REFUSED = frozenset({"PL-401-KEY", "PL-401-HOST", "PL-LOGIN-EXPIRED", "PL-COOKIE-EXPIRED"})
_NOT_UNDERSTOOD = frozenset({"PL-PARSE", "PL-PARSE-SIZE"})
_OTHER_HOST = frozenset({"PL-429-READ", "PL-5XX-READ", "PL-404-READ"})
_CREDENTIAL = ("PL-401-", "PL-LOGIN-", "PL-COOKIE-")
_MEMBERSHIP, _FORBIDDEN, _UNREADABLE = "PL-402-MEMBER", "PL-403-READ", "PL-SECRET-READ"


def sources_of(mode: SourceMode) -> tuple[Source, ...]:
    """The sources of an account in the order they are tried; a named one is the only one."""
    return ORDER if mode == "auto" else (mode,)


def after(code: str) -> Next:
    """Whether a source that ended with `code` gives way to the next, only to one on another host, or ends the read."""
    if code in ABSENT or code in _NOT_UNDERSTOOD or code in (_MEMBERSHIP, _FORBIDDEN, _UNREADABLE):
        return "next"
    if code.startswith(_CREDENTIAL):
        return "next"
    if code in _OTHER_HOST or code.startswith("PL-NET-"):
        return "other-host"
    return "stop"


def gives_way_to_candidate(code: str) -> bool:
    """Whether another session of the same kind is tried: after a refusal, never after trouble on the way."""
    return code in REFUSED or code == _FORBIDDEN
