"""Asks a running service for its routes. Imports little: a cached status passes through here."""

import http.client
from typing import TYPE_CHECKING

import msgspec

from perilune.core.decoding import decoded
from perilune.core.messages import Language
from perilune.faces.api.ports import RoutesDocument
from perilune.net.listening import ListenAddress

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench

_LOOK_S = 1.0


def routes_of_service(address: ListenAddress, bench: "Workbench", language: Language) -> RoutesDocument | None:
    """The routes as the service at an address has them; None where nothing of ours answers."""
    token = bench.environment.get("PERILUNE_TOKEN")
    connection = http.client.HTTPConnection(address.host, address.port, timeout=_LOOK_S)
    headers = {"accept-language": language} | ({"authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request("GET", "/api/v1/routes", headers=headers)
        answer = connection.getresponse()
        body = answer.read(1_000_000)
        return decoded(body, RoutesDocument) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, msgspec.MsgspecError):
        return None  # nothing of ours answers there
    finally:
        connection.close()
