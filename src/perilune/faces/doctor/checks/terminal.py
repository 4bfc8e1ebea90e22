"""The terminal: how wide, in which encoding, how wide its ambiguous characters."""

from collections.abc import Iterator

from perilune.faces.doctor.check import Check, Found
from perilune.faces.doctor.scene import Scene

_NARROW = 60


def _look(scene: Scene) -> Iterator[Found]:
    out = scene.out
    wide = scene.loaded.config.display.ambiguous_width if scene.loaded else 1
    facts = {"columns": out.columns, "encoding": out.encoding.upper(), "wide": wide}
    if not out.is_utf8:
        yield Found(status="warn", detail=scene.say("doctor.terminal.ascii", **facts), fix=("export LC_ALL=C.UTF-8",))
    elif out.columns < _NARROW:
        yield Found(status="warn", detail=scene.say("doctor.terminal.narrow", **facts))
    else:
        yield Found(status="ok", detail=scene.say("doctor.terminal.ok", **facts))


CHECK = Check(name="terminal", place=99, look=_look)
