"""Our lines in other programs' files: still there where they were put."""

from collections.abc import Iterator

from perilune.core.errors import Problem
from perilune.faces.doctor.check import Check, Found, Repair, of_problem
from perilune.faces.doctor.scene import Scene
from perilune.faces.install import files
from perilune.faces.install.apply import Planned, make, plan
from perilune.faces.install.edits import Unfit
from perilune.faces.install.hosts import HOSTS, Change, Places, statusline, waybar
from perilune.faces.install.record import find
from perilune.faces.install.service import service

_RECORD = "installs.json"


def _look(scene: Scene) -> Iterator[Found]:
    record = scene.paths.data_folder / _RECORD
    there = 0
    for change in _changes(Places(scene.environment)):
        if find(record, change.name, change.file) is None:
            continue
        try:
            planned = plan(change)
        except (Unfit, UnicodeDecodeError, OSError) as error:
            told = scene.say("doctor.unseen", file=scene.short(change.file), reason=str(error))
            yield Found(status="warn", detail=told)
            continue
        there += 1
        if planned.after != (planned.before or ""):
            problem = Problem(code="PL-STATUSLINE-LOST", facts={"file": change.file.name})
            yield of_problem(problem, scene.voice, "warn", repair=_putting_back(planned, scene))
            there -= 1
    if there:
        yield Found(status="ok", detail=scene.say("doctor.integrations.ok", count=there))


def _changes(places: Places) -> Iterator[Change]:
    """Every change that `install` can make."""
    for host in HOSTS:
        found = None if host == "waybar" else statusline(host, places)
        if isinstance(found, Change):
            yield found
    yield from waybar(places)
    started = service(places)
    if started is not None:
        yield started


def _putting_back(planned: Planned, scene: Scene) -> Repair:
    file = planned.change.file
    backup = files.backup_path(file, scene.voice.now.astimezone(scene.voice.zone))
    told = scene.say("doctor.done.line", file=scene.short(file))
    return Repair(told, lambda: make(planned, scene.paths.data_folder / _RECORD, backup))


CHECK = Check(name="statusline", place=90, look=_look)
