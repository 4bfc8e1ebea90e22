"""Fixed mode: three variables that make a route; beside a file, or not all of them, they do nothing."""

from collections.abc import Iterator

from perilune.config.fixed import FIXED_NAMES, fixed_mode
from perilune.faces.doctor.check import Check, Found
from perilune.faces.doctor.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    found = fixed_mode(scene.environment, scene.plans)
    is_meant = found.config is not None or bool(found.missing)
    if not is_meant:
        return
    names = ", ".join(name for name in FIXED_NAMES if scene.environment.get(name))
    if scene.paths.config_file.is_file():
        told = scene.say("doctor.fixed.file", names=names, file=scene.short(scene.paths.config_file))
        yield Found(status="warn", detail=told, fix=(f"unset {names.replace(',', '')}",))
    elif found.missing:
        told = scene.say("doctor.fixed.missing", names=names, missing=", ".join(found.missing))
        yield Found(status="warn", detail=told, fix=tuple(f"export {name}=…" for name in found.missing))
    else:
        yield Found(status="ok", detail=scene.say("doctor.fixed.ok", names=names))


CHECK = Check(name="fixed-mode", place=12, look=_look)
