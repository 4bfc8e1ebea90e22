"""What would leave for a model's slots, and what is odd about their settings: by the real pipeline, nothing is sent."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from perilune.compose.asking import small_request, with_engine
from perilune.compose.engine import Engine
from perilune.core.errors import Problem, UsageError
from perilune.dialects.form import Dialect
from perilune.gateway.preview import Preview, lint_slot, preview_route

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench


def preview_model(bench: "Workbench", model: str) -> Sequence[Preview]:
    """What each slot of the model's route would be sent. Raises: UsageError PL-GW-ROUTE, RequestError."""

    async def look(engine: Engine) -> Sequence[Preview]:
        core = engine.gateway.core
        route = core.setup.routes.match(model)
        if route is None:
            routes = ", ".join(one.name for one in core.setup.routes.all)
            raise UsageError.of("PL-GW-ROUTE", model=model, routes=routes)
        return preview_route(core, route, Dialect.CHAT, small_request(model))

    return with_engine(bench, look)


def lint_routes(bench: "Workbench", name: str | None = None) -> Sequence[Problem]:
    """What is odd about the slots of one route, or of all."""

    async def look(engine: Engine) -> Sequence[Problem]:
        core = engine.gateway.core
        routes = [route for route in core.setup.routes.all if name is None or route.name == name]
        return [note for route in routes for slot in route.slots for note in lint_slot(core, slot)]

    return with_engine(bench, look)
