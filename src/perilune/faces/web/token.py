"""Beyond loopback, pages and API need the service's token."""

import hmac

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from perilune.faces.api.hooks import PREFIX as HOOKS

COOKIE = "perilune_token"
_ASK = {"www-authenticate": 'Basic realm="Perilune", charset="UTF-8"', "cache-control": "no-store"}


class TokenGate:
    """Lets a request pass that carries the token: as bearer, or as the password of the browser's own login."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_signed(scope) or self._is_known(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = Response("PL-WEB-TOKEN\n", 401, _ASK, "text/plain")
        await refusal(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        given = _bearer(headers.get("authorization", "")) or cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        return hmac.compare_digest(given.encode(), self._token)


def _is_signed(scope: Scope) -> bool:
    """Webhooks come with a signature instead, which is checked where they are taken."""
    return bool(scope["method"] == "POST" and scope["path"].startswith(HOOKS))


def _bearer(authorization: str) -> str:
    import base64
    import binascii

    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
