"""`perilune_route`: which address and model to ask, and who would answer."""

import asyncio
from fnmatch import fnmatchcase

from perilune.core.errors import UsageError
from perilune.faces.api.ports import RouteDocument, RoutesDocument
from perilune.faces.mcp.tool import Answer, Asked, Tool

_USABLE = ("ok", "untested", "standby")


async def _answer(asked: Asked) -> Answer:
    model = asked.arguments["model"]
    document, _ = await asyncio.to_thread(asked.services.routes_now, asked.voice.language)
    route = _matching(document, model)
    usable = list(dict.fromkeys(slot.account for slot in route.slots if slot.state in _USABLE))
    facts = {"model": model, "url": f"http://{document.listen}"}
    if not usable:
        text = asked.voice.say("mcp.route.none", route=route.name, **facts)
    elif len(usable) == 1:
        text = asked.voice.say("mcp.route.one", first=usable[0], **facts)
    else:
        text = asked.voice.say("mcp.route", first=usable[0], second=usable[1], **facts)
    return Answer(text, route)


def _matching(document: RoutesDocument, model: str) -> RouteDocument:
    """The route that takes a model, as the gateway would choose. Raises: PL-GW-ROUTE."""
    for route in document.routes:
        if any(fnmatchcase(model, pattern) for pattern in route.match):
            return route
    names = ", ".join(route.name for route in document.routes)
    raise UsageError.of("PL-GW-ROUTE", model=model, routes=names)


TOOL = Tool(
    name="perilune_route",
    takes={"model": {"type": "string", "description": "the model that would be asked for"}},
    needs=("model",),
    answer=_answer,
)
