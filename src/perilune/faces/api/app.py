"""`/api/v1`: our own HTTP API; the same JSON as the command line."""

from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from perilune.core.messages import Language, pick_language
from perilune.faces.api.answers import document
from perilune.faces.api.history import history_answer
from perilune.faces.api.hub import Hub
from perilune.faces.api.openapi import openapi_document
from perilune.faces.api.ports import Service

_LEDGER_MOST = 500


def language_of(request: Request) -> Language:
    """The reader's language: the stored switch, else what the browser asks for."""
    chosen = request.cookies.get("perilune_lang")
    return pick_language({"LANG": chosen or request.headers.get("accept-language", "")})


def api_routes(service: Service, hub: Hub) -> list[Route]:
    """The routes of the API, below `/api/v1`."""

    async def status(request: Request) -> Response:
        return document(await service.status(language_of(request)))

    async def accounts(request: Request) -> Response:
        return document({"accounts": (await service.status(language_of(request))).accounts})

    async def routes(request: Request) -> Response:
        return document(await service.routes(language_of(request)))

    async def ledger(request: Request) -> Response:
        return document(await service.ledger(_limit(request)))

    async def reviews(request: Request) -> Response:
        return document(await service.reviews(_limit(request)))

    async def history(request: Request) -> Response:
        return await history_answer(service, request, language_of(request))

    async def forecast(request: Request) -> Response:
        return document(await service.forecast(language_of(request)))

    async def events(request: Request) -> Response:
        return StreamingResponse(_stream(hub), media_type="text/event-stream", headers=_STREAM_HEADERS)

    async def openapi(request: Request) -> Response:
        return JSONResponse(openapi_document(service.facts.version))

    table: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/status": status,
        "/accounts": accounts,
        "/routes": routes,
        "/ledger": ledger,
        "/reviews": reviews,
        "/history": history,
        "/forecast": forecast,
        "/events": events,
        "/openapi.json": openapi,
    }
    return [Route(path, handler, methods=["GET"]) for path, handler in table.items()]


_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


async def _stream(hub: Hub) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\nevent: status\ndata: {}\n\n"
    async for event in hub.listen():
        yield b": alive\n\n" if event is None else f"event: {event}\ndata: {{}}\n\n".encode()


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "50")
    return min(int(text), _LEDGER_MOST) if text.isdecimal() and int(text) > 0 else 50
