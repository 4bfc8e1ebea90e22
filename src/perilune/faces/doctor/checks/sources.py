"""The credential sources of each account: which of them have a credential now. No browser is opened for this."""

from collections.abc import Iterator

from perilune.core.errors import PeriluneError, Problem
from perilune.faces.doctor.check import Check, Found, of_problem
from perilune.faces.doctor.scene import Scene
from perilune.monitor.sources import SourceOption

_ABSENT = ("PL-CRED-NONE", "PL-LOGIN-NONE", "PL-COOKIE-NONE")


def _look(scene: Scene) -> Iterator[Found]:
    for target in scene.monitoring.targets() if scene.accounts else ():
        found, odd = [], []
        for option in target.sources:
            if option.is_late:
                continue
            problem = _problem(option)
            if problem is None:
                found.append(option.source)
            elif problem.code not in _ABSENT and option.source != "api-key":  # the key has a check of its own
                odd.append(problem)
        if len(found) > 1:
            told = scene.say("doctor.sources.ok", sources=", ".join(found))
            yield Found(status="ok", detail=told, subject=target.name)
        yield from (_odd(problem, scene, target.name) for problem in odd)


def _problem(option: SourceOption) -> Problem | None:
    try:
        next(iter(option.open()), None)
    except PeriluneError as error:
        return error.problem
    return None


def _odd(problem: Problem, scene: Scene, account: str) -> Found:
    return of_problem(problem, scene.voice, "warn", subject=account)


CHECK = Check(name="sources", place=65, look=_look)
