"""The dashboard's pages: rendered by the service, brought up to date by server-sent events."""

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from perilune.faces.api.answers import document
from perilune.faces.api.app import api_routes
from perilune.faces.api.hooks import HookDesk, hook_routes
from perilune.faces.api.hub import Hub
from perilune.faces.api.ports import Service
from perilune.faces.web.assets import serve_asset
from perilune.faces.web.csrf import FIELD, csrf_token, form_of, is_ours, keep_token
from perilune.faces.web.headers import SafetyHeaders
from perilune.faces.web.overview import overview_view
from perilune.faces.web.reader import Reader, reader_of, remember_choice
from perilune.faces.web.render import key_places, render
from perilune.faces.web.result import result_view
from perilune.faces.web.token import TokenGate


def build_web(service: Service, hub: Hub, token: str | None = None, hooks: HookDesk | None = None) -> Starlette:
    """The application for everything that is not the gateway: pages, API, webhooks, assets.

    `token` guards it where the service listens beyond loopback.
    """

    async def overview(request: Request) -> Response:
        if (choice := remember_choice(request)) is not None:
            return choice
        reader = reader_of(request, service.now())
        status = await service.status(reader.voice.language)
        if not status.accounts:
            return RedirectResponse("/add", 303)
        view = overview_view(status, await _surroundings(service, reader), reader)
        title = reader.say("web.first_title" if service.facts.wants_key else "web.overview")
        return _page(request, reader, "overview.html", {"view": view, "title": title, "heading": title})

    async def fragment(request: Request) -> Response:
        reader = reader_of(request, service.now())
        status = await service.status(reader.voice.language)
        view = overview_view(status, await _surroundings(service, reader), reader)
        return HTMLResponse(render("_overview.html", reader, {"view": view}), headers={"cache-control": "no-store"})

    async def add_form(request: Request) -> Response:
        if (choice := remember_choice(request)) is not None:
            return choice
        return await _add_page(request, None, 200)

    async def add(request: Request) -> Response:
        form = await form_of(request)
        if not is_ours(request, form.get(FIELD, "")):
            return Response(reader_of(request, service.now()).say("web.csrf"), 403, media_type="text/plain")
        added = await service.add_key(form.get("key", ""))
        return await _add_page(request, added, 200 if added.problem is None else 422)

    async def _add_page(request: Request, added: Any, status_code: int) -> Response:
        reader = reader_of(request, service.now())
        accounts = (await service.status(reader.voice.language)).accounts
        result = None if added is None else result_view(added, reader)
        has_accounts = bool(accounts) and not service.facts.wants_key
        title = reader.say("web.add_title" if has_accounts else "web.first_title")
        context = {"title": title, "heading": title, "result": result, "has_accounts": has_accounts}
        return _page(request, reader, "add.html", context, status_code)

    async def refresh(request: Request) -> Response:
        if not is_ours(request, (await form_of(request)).get(FIELD, "")):
            return Response(reader_of(request, service.now()).say("web.csrf"), 403, media_type="text/plain")
        await service.refresh(None)
        return RedirectResponse("/", 303)

    def _page(
        request: Request, reader: Reader, template: str, context: dict[str, Any], status_code: int = 200
    ) -> Response:
        token = csrf_token(request)
        given = {
            "has_accounts": not service.facts.wants_key,
            "result": None,
            "key_places": key_places(),
            "facts": service.facts,
            "csrf": token,
        } | context
        response = HTMLResponse(render(template, reader, given), status_code, {"cache-control": "no-store"})
        keep_token(response, token)
        return response

    async def alive(request: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    async def ready(request: Request) -> Response:
        readiness = await service.readiness()
        return document(readiness, 200 if readiness.ready else 503)

    async def metrics(request: Request) -> Response:
        from perilune.faces.metrics.exposition import CONTENT_TYPE

        return Response(await service.metrics(), headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    routes = [
        Route("/metrics", metrics),
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/", overview),
        Route("/fragments/overview", fragment),
        Route("/add", add_form, methods=["GET"]),
        Route("/add", add, methods=["POST"]),
        Route("/refresh", refresh, methods=["POST"]),
        Route("/static/{digest}/{name}", serve_asset),
        Mount("/api/v1", routes=api_routes(service, hub)),
        *(hook_routes(hooks) if hooks is not None else ()),
    ]
    middleware = [Middleware(SafetyHeaders)]
    if token is not None:
        middleware.append(Middleware(TokenGate, token=token))
    return Starlette(routes=routes, middleware=middleware, exception_handlers={HTTPException: _plain_error})


async def _plain_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return Response(f"{status}\n", status, media_type="text/plain")


async def _surroundings(service: Service, reader: Reader) -> Any:
    from perilune.faces.web.overview import Surroundings

    return Surroundings(
        facts=service.facts,
        routes=await service.routes(reader.voice.language),
        requests=(await service.ledger(8)).requests,
        events=await service.events(8, reader.voice.language),
        reviews=(await service.reviews(3)).reviews,
    )
