"""The running gateway in one line, for the end of a status."""

from typing import TYPE_CHECKING

from perilune.compose.service_routes import routes_of_service
from perilune.core.errors import PeriluneError
from perilune.faces.api.ports import RoutesDocument
from perilune.faces.text.look import GatewayGlance
from perilune.net.listening import parse_listen

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench


def gateway_glance(bench: "Workbench") -> GatewayGlance | None:
    """What the service says of its first route; None where it does not answer."""
    try:
        told = routes_of_service(parse_listen(bench.configuration().config.gateway.listen), bench, "en")
    except PeriluneError:
        return None  # the accounts are told all the same
    return None if told is None or not told.routes else _glance(told)


def _glance(told: RoutesDocument) -> GatewayGlance:
    route = told.routes[0]
    slots = tuple(dict.fromkeys(slot.account for slot in route.slots))
    return GatewayGlance(address=told.listen, route=route.name, slots=slots, failovers_today=told.failovers_today)
