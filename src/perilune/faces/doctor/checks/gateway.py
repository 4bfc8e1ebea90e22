"""The service and its port: running and well, or free to be started on."""

from collections.abc import Iterator

from perilune.core.errors import PeriluneError, Problem
from perilune.faces.doctor.check import Check, Found, of_problem
from perilune.faces.doctor.scene import Scene
from perilune.net.listening import holder_of, parse_listen


def _look(scene: Scene) -> Iterator[Found]:
    if scene.loaded is None or scene.routes is None:
        return
    document, is_running = scene.routes
    if is_running:
        slots = {slot.account: slot for route in document.routes for slot in route.slots}.values()
        caps = [slot.cap for slot in slots]
        facts = {
            "address": document.listen,
            "routes": len(document.routes),
            "in_flight": sum(slot.in_flight for slot in slots),
            "cap": sum(cap for cap in caps if cap is not None),
        }
        yield Found(status="ok", detail=scene.say("doctor.gateway.ok", **facts))
        for error in document.problems:
            yield Found(status="fail", detail=error.message, code=error.code, fix=tuple(error.fix))
        return
    yield _idle(scene, scene.loaded.config.gateway.listen)


def _idle(scene: Scene, listen: str) -> Found:
    try:
        address = parse_listen(listen)
    except PeriluneError as error:
        return of_problem(error.problem, scene.voice)
    holder = holder_of(address.port) if address.port else None
    if holder is not None:
        facts = {"address": str(address), "pid": str(holder[0]), "program": holder[1]}
        return of_problem(Problem(code="PL-PORT", facts=facts), scene.voice, "warn")
    return Found(status="ok", detail=scene.say("doctor.gateway.idle", address=str(address)))


CHECK = Check(name="gateway", place=80, look=_look)
