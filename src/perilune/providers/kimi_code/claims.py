"""What a web token says of itself. Its signature is not checked: it is the user's own, and the site decides.

Source: the JSON web token in the cookie `kimi-auth` and in the local-storage key `access_token`.
"""

import re
from base64 import urlsafe_b64decode
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from perilune.catalog.plan import Plan, Region
from perilune.core.instants import from_epoch
from perilune.core.numbers import parse_number
from perilune.core.secret import Secret

TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Claims(Struct, frozen=True, kw_only=True):
    """The claims that matter here; everything is absent for a token that cannot be decoded."""

    expires_at: datetime | None = None
    subject: str | None = None
    device_id: str | None = None
    session_id: str | None = None
    kind: str = ""
    issuers: tuple[str, ...] = ()

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over; a token that does not say is never expired."""
        return self.expires_at is not None and self.expires_at <= now

    def region(self, plan: Plan) -> Region | None:
        """The region that issuer or audience name, None where none or several do."""
        named = [region for region in plan.regions if any(_names(text, region.site) for text in self.issuers)]
        return named[0] if len(named) == 1 else None


def claims_of(token: Secret) -> Claims:
    """The claims in the middle part of a token; none for one that is opaque."""
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return Claims()
    try:
        body: Any = msgspec.json.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, msgspec.DecodeError):
        return Claims()
    return _claims(body) if isinstance(body, dict) else Claims()


def _claims(body: dict[str, Any]) -> Claims:
    number = parse_number(body.get("exp"))
    audience = body.get("aud")
    named = [body.get("iss"), *(audience if isinstance(audience, list) else [audience])]
    return Claims(
        expires_at=None if number is None else from_epoch(number),
        subject=_text(body.get("sub")),
        device_id=_text(body.get("device_id")),
        session_id=_text(body.get("ssid")),
        kind=(_text(body.get("typ")) or "").lower(),
        issuers=tuple(text for text in named if isinstance(text, str)),
    )


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _names(text: str, site: str) -> bool:
    """Whether a text is a host of the site or an address on one: `kimi.com.example` is not."""
    host = text.partition("://")[2] or text
    host = re.split(r"[/:?#]", host, maxsplit=1)[0].lower()
    return host == site or host.endswith(f".{site}")
