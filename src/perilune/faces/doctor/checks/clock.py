"""The clock of this machine against the `Date` of answers that have just come."""

from collections.abc import Iterator

from perilune.core.errors import Problem
from perilune.faces.doctor.check import Check, Found, of_problem
from perilune.faces.doctor.scene import Scene

_TELLS_S = 300
_EXACT_S = 2


def _look(scene: Scene) -> Iterator[Found]:
    timed = [(probe.ahead_s, probe.host) for probe in scene.probes if probe.ahead_s is not None]
    if not timed:
        yield Found(status="ok", detail=scene.say("doctor.clock.unknown"))
        return
    ahead_s, host = min(timed, key=lambda one: abs(one[0]))
    seconds = round(abs(ahead_s))
    if seconds > _TELLS_S:
        facts = {"minutes": round(seconds / 60), "host": host}
        variant = "ahead" if ahead_s > 0 else ""
        yield of_problem(Problem(code="PL-CLOCK", variant=variant, facts=facts), scene.voice, "warn")
    elif seconds < _EXACT_S:
        yield Found(status="ok", detail=scene.say("doctor.clock.ok", host=host))
    else:
        way = "ahead" if ahead_s > 0 else "behind"
        yield Found(status="ok", detail=scene.say(f"doctor.clock.{way}", seconds=seconds, host=host))


CHECK = Check(name="clock", place=40, look=_look)
