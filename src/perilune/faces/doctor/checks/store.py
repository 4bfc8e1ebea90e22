"""The store: sound, of this version's schema, with room to grow."""

from collections.abc import Iterator

from perilune.core.errors import PeriluneError, Problem
from perilune.faces.doctor.check import Check, Found, of_problem
from perilune.faces.doctor.scene import Scene
from perilune.store.examine import Examined, examine
from perilune.store.versions import HEAD

_LEAST_FREE = 64 * 1024 * 1024


def _look(scene: Scene) -> Iterator[Found]:
    if scene.environment.get("PERILUNE_DATABASE_URL"):
        yield _server(scene)
        return
    file = scene.paths.store_file
    if not file.is_file():
        yield Found(status="ok", detail=scene.say("doctor.store.none", file=scene.short(file)))
        return
    yield from _file(scene, examine(file))


def _file(scene: Scene, seen: Examined) -> Iterator[Found]:
    file, say = scene.paths.store_file, scene.say
    if seen.faults:
        problem = Problem(code="PL-STORE-CORRUPT", variant="RUNNING", facts={"path": str(file)})
        yield of_problem(problem, scene.voice)
        return
    if seen.schema is not None and seen.schema > HEAD:
        yield of_problem(Problem(code="PL-STORE-NEWER", facts={"found": seen.schema, "known": HEAD}), scene.voice)
        return
    facts = {"size": _size(seen.size), "days": seen.days(scene.voice.now)}
    if seen.free < _LEAST_FREE:
        yield Found(status="warn", detail=say("doctor.store.little", free=_size(seen.free), **facts))
    else:
        yield Found(status="ok", detail=say("doctor.store.ok", **facts))


def _server(scene: Scene) -> Found:
    try:
        scene.monitoring.held()
    except PeriluneError as error:
        return of_problem(error.problem, scene.voice)
    return Found(status="ok", detail=scene.say("doctor.store.server"))


def _size(count: int) -> str:
    return f"{count / 1_000_000:.0f} MB" if count >= 1_000_000 else f"{-(-count // 1000)} kB"


CHECK = Check(name="store", place=30, look=_look)
