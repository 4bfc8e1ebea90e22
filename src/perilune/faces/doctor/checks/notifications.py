"""Notification channels: their secrets can be read, their last messages were taken. No message is sent for this."""

from collections.abc import Iterator

from perilune.core.errors import PeriluneError
from perilune.faces.doctor.check import Check, Found, of_problem
from perilune.faces.doctor.scene import Scene
from perilune.monitor.notify.health import failing


def _look(scene: Scene) -> Iterator[Found]:
    channels = scene.loaded.config.notify if scene.loaded else ()
    if not channels:
        return
    odd = 0
    for channel in channels:
        for reference in filter(None, (channel.key, channel.secret)):
            try:
                scene.services.vault.read(reference, channel.name)
            except PeriluneError as error:
                odd += 1
                yield of_problem(error.problem, scene.voice, subject=channel.name)
    for problem in failing(channels, scene.services.channel_states(), scene.voice):
        odd += 1
        yield of_problem(problem, scene.voice, "warn", subject=str(problem.facts["channel"]))
    if not odd:
        names = ", ".join(channel.name for channel in channels)
        yield Found(status="ok", detail=scene.say("doctor.notifications.ok", names=names))


CHECK = Check(name="notifications", place=95, look=_look)
