"""Every official host, asked without a key: does it answer, and how fast."""

from collections.abc import Iterator
from itertools import groupby

from perilune.faces.doctor.check import Check, Found, of_problem
from perilune.faces.doctor.probes import Probe
from perilune.faces.doctor.scene import Scene

_SLOW_MS = 1500


def _look(scene: Scene) -> Iterator[Found]:
    needed = scene.needed_hosts()
    for _, group in groupby(scene.probes, key=lambda probe: probe.plan):
        probes = list(group)
        quick = [probe for probe in probes if probe.problem is None and probe.took_ms <= _SLOW_MS]
        if quick:
            yield Found(status="ok", detail=" · ".join(f"{probe.host} {probe.took_ms} ms" for probe in quick))
        yield from (_trouble(scene, probe, probe.address in needed) for probe in probes if probe not in quick)


def _trouble(scene: Scene, probe: Probe, is_needed: bool) -> Found:
    if probe.problem is None:
        told = scene.say("doctor.network.slow", host=probe.host, seconds=f"{probe.took_ms / 1000:.1f}")
        return Found(status="warn", detail=told)
    return of_problem(probe.problem, scene.voice, "fail" if is_needed else "warn")


CHECK = Check(name="network", place=50, look=_look)
