"""Static files, addressed by their content so that browsers may keep them for ever."""

import hashlib
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


@cache
def _content(name: str) -> bytes | None:
    file = files("perilune.faces.web").joinpath("static", name)
    return file.read_bytes() if name.rpartition(".")[2] in _TYPES and file.is_file() else None


@cache
def asset_address(name: str) -> str:
    """The address of a shipped file, changing with its content."""
    content = _content(name)
    if content is None:
        raise FileNotFoundError(name)
    return f"/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}"


async def serve_asset(request: Request) -> Response:
    """Answer a request for a shipped file; an address of another version is 404."""
    name = str(request.path_params["name"])
    content = None if "/" in name else _content(name)
    if content is None or request.url.path != asset_address(name):
        return Response("not found", 404, media_type="text/plain")
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=_FOR_EVER)
