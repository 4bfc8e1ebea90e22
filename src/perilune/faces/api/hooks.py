"""`POST /hooks/FORGE`: the body read raw up to its limit, then handed on; the signature is the only way in."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from perilune.core.encode import encode_document

LARGEST_BODY = 25 * 1024 * 1024
PREFIX = "/hooks/"


class HookAnswer(Struct, frozen=True):
    """What a forge is told."""

    status: int
    document: Mapping[str, Any]


class HookDesk(Protocol):
    """Takes deliveries of forges."""

    async def take(self, forge: str, headers: Mapping[str, str], body: bytes) -> HookAnswer: ...


class LateDesk:
    """A desk made by its first delivery: most services never get one, and should not pay for it."""

    def __init__(self, make: Callable[[], HookDesk]) -> None:
        self._make = make

    @cached_property
    def _desk(self) -> HookDesk:
        return self._make()

    async def take(self, forge: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """What became of a delivery."""
        return await self._desk.take(forge, headers, body)


def hook_routes(desk: HookDesk) -> list[Route]:
    """The routes of webhooks."""

    async def hook(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _document(HookAnswer(413, {"error": {"code": "PL-HOOK-BODY"}}))
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _document(await desk.take(request.path_params["forge"], headers, body))

    return [Route(PREFIX + "{forge}", hook, methods=["POST"])]


async def _body(request: Request) -> bytes | None:
    """The raw body, None where it is larger than anything a forge sends."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_BODY:
        return None
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def _document(answer: HookAnswer) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(encode_document(answer.document), answer.status, headers, "application/json")
