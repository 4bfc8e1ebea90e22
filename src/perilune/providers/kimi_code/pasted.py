"""Web sessions as people paste them: the cookie, a header, a cURL command or the token itself. All else is dropped."""

import re

from msgspec import Struct

from perilune.catalog.plan import Plan
from perilune.core.errors import CredentialError
from perilune.core.keys import clean_key, has_key_shape
from perilune.core.secret import Secret
from perilune.providers.kimi_code.claims import TOKEN, Claims, claims_of

_LONGEST = 64 * 1024
_COOKIE = re.compile(r"(?<![\w-])kimi-auth\s*[=:]\s*[\"']?([^;\s\"'\\,]+)", re.IGNORECASE)
_BEARER = re.compile(rf"authorization\s*:\s*bearer\s+({TOKEN.pattern})(?![\w.-])", re.IGNORECASE)
_OWN = re.compile(rf"(?:bearer\s+)?({TOKEN.pattern})", re.IGNORECASE)
_ADDRESS = re.compile(r"https://([A-Za-z0-9.-]+)(?=[/\s:\"'?]|$)")


class PastedSession(Struct, frozen=True):
    """A token and what it says of itself. `region` is a region's id where token or address name one."""

    token: Secret
    claims: Claims
    region: str | None


def session_in(text: Secret, plan: Plan) -> PastedSession:
    """The web session in a text.

    Raises: PL-COOKIE-SHAPE when there is none in any known form, or when it is a refresh token.
    """
    whole = clean_key(text.reveal()[:_LONGEST])
    token = _token(whole)
    if token is None or not has_key_shape(token):
        raise CredentialError.of("PL-COOKIE-SHAPE", site=plan.regions[0].site)
    secret = Secret(token)
    claims = claims_of(secret)
    if claims.kind == "refresh":
        raise CredentialError.of("PL-COOKIE-SHAPE", variant="refresh", site=plan.regions[0].site)
    named = claims.region(plan)
    return PastedSession(secret, claims, named.id if named else _region_of_address(whole, plan))


def _token(text: str) -> str | None:
    for pattern in (_COOKIE, _BEARER):
        match = pattern.search(text)
        if match is not None:
            return match[1]
    match = _OWN.fullmatch(text)
    return None if match is None else match[1]


def _region_of_address(text: str, plan: Plan) -> str | None:
    hosts = {match[1].lower() for match in _ADDRESS.finditer(text)}
    named = [r.id for r in plan.regions if any(host == r.site or host.endswith(f".{r.site}") for host in hosts)]
    return named[0] if len(named) == 1 else None
