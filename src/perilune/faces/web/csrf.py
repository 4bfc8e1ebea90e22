"""Writes from a browser carry a token that only our own pages know."""

import hmac
import secrets
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "perilune_csrf"
FIELD = "csrf"
_MOST_BYTES = 16_384
_MOST_FIELDS = 16


def csrf_token(request: Request) -> str:
    """The token of this browser, a new one where it has none yet."""
    present = request.cookies.get(COOKIE, "")
    return present if len(present) >= 32 else secrets.token_urlsafe(32)


def keep_token(response: Response, token: str) -> None:
    """Let the browser keep its token; scripts and other sites do not see it."""
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")


def is_ours(request: Request, sent: str) -> bool:
    """Whether a write really came from one of our pages."""
    kept = request.cookies.get(COOKIE, "")
    return len(kept) >= 32 and hmac.compare_digest(kept.encode(), sent.encode())


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form as our pages send them; empty for anything else, and for more than a form of ours holds."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return {}
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            return {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}
