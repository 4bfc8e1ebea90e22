"""Writes from a browser carry a token that only our own pages know."""

import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "perilune_csrf"
FIELD = "csrf"


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
