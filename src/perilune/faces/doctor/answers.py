"""What the vendors answer to each account now, as shapes alone: names and types, no values."""

import asyncio
from typing import Any

import msgspec

from perilune.core.errors import PeriluneError
from perilune.core.instants import to_rfc3339
from perilune.faces.doctor.scene import Scene
from perilune.faces.doctor.shapes import shape_of
from perilune.net.control import ControlAnswer, ControlClient
from perilune.providers.contract.reading import Binding, reader_of


def answer_shapes(scene: Scene) -> dict[str, list[dict[str, Any]]]:
    """By account: the free reading's answer and its status, every value replaced by its type."""
    if not scene.accounts:
        return {}
    return asyncio.run(_all(scene))


async def _all(scene: Scene) -> dict[str, list[dict[str, Any]]]:
    shapes: dict[str, list[dict[str, Any]]] = {}
    async with scene.services.control_client() as client:
        for target in scene.monitoring.targets():
            shapes[target.name] = [await _one(target.bind, client)]
    return shapes


async def _one(bind: Any, client: ControlClient) -> dict[str, Any]:
    try:
        binding: Binding = bind()
        reader = reader_of(binding.plan.id)
        if reader is None:
            return {"read": "nothing"}
        return _told(await client.get(reader.read_url(binding), secret=binding.bound, retry=False))
    except PeriluneError as error:
        return {"code": error.problem.code}


def _told(answer: ControlAnswer) -> dict[str, Any]:
    when = to_rfc3339(answer.server_date) if answer.server_date else None
    told = {"url": answer.url, "status": answer.status, "bytes": len(answer.body), "date": when}
    try:
        return told | {"body": shape_of(msgspec.json.decode(answer.body))}
    except msgspec.DecodeError:
        return told | {"body": "not JSON", "content_type": answer.headers.get("content-type", "")[:60]}
