"""The configuration: can be read, is understood, is readable by its owner alone."""

import stat
from collections.abc import Iterator

from perilune.faces.doctor.check import Check, Found, chmod, of_problem
from perilune.faces.doctor.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    file = scene.paths.config_file
    if scene.config_problem is not None:
        yield of_problem(scene.config_problem, scene.voice)
        return
    loaded = scene.loaded
    if loaded is None or not loaded.exists:
        yield Found(status="ok", detail=scene.say("doctor.config.none", file=scene.short(file)))
    else:
        mode = f"{stat.S_IMODE(file.stat().st_mode):03o}"
        told = scene.say("doctor.config.ok", file=scene.short(file), mode=mode, schema=loaded.config.schema)
        yield Found(status="ok", detail=told)
    for warning in loaded.warnings if loaded else ():
        mends = chmod(file, 0o600, scene.voice) if warning.code == "PL-CONFIG-MODE" else None
        yield of_problem(warning, scene.voice, "warn", repair=mends)


CHECK = Check(name="config", place=10, look=_look)
