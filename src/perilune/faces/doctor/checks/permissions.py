"""Folders and files of ours: there, and for their owner alone."""

import os
from collections.abc import Iterator
from pathlib import Path

from perilune.core.errors import Problem
from perilune.faces.doctor.check import Check, Found, chmod, make_folder, of_problem
from perilune.faces.doctor.scene import Scene
from perilune.vault.files import is_open_to_others


def _look(scene: Scene) -> Iterator[Found]:
    wrong = list(_wrong(scene))
    yield from wrong
    if not wrong:
        yield Found(status="ok", detail=scene.say("doctor.permissions.ok", folder=scene.short(scene.paths.data_folder)))


def _wrong(scene: Scene) -> Iterator[Found]:
    paths, say = scene.paths, scene.say
    for folder in dict.fromkeys((paths.config_folder, paths.data_folder)):
        if not folder.is_dir():
            told = say("doctor.permissions.missing", folder=scene.short(folder))
            fix = ("perilune doctor --fix",)
            yield Found(status="warn", detail=told, fix=fix, repair=make_folder(folder, scene.voice))
        elif not os.access(folder, os.W_OK | os.X_OK):
            facts = {"path": str(folder), "reason": say("doctor.permissions.no_right"), "folder": str(folder)}
            yield of_problem(Problem(code="PL-STORE-FULL", variant="UNWRITABLE", facts=facts), scene.voice)
    for file, mode in _private(scene):
        if is_open_to_others(file):
            told = say("doctor.permissions.open", file=scene.short(file), mode=f"{file.stat().st_mode & 0o777:03o}")
            mends = chmod(file, mode, scene.voice)
            yield Found(status="warn", detail=told, fix=("perilune doctor --fix",), repair=mends)


def _private(scene: Scene) -> Iterator[tuple[Path, int]]:
    """What holds secrets or tells of them, and the mode it should have."""
    vault = scene.paths.vault_folder
    if vault.is_dir():
        yield vault, 0o700
        yield from ((file, 0o600) for file in sorted(vault.iterdir()) if file.is_file())
    store = scene.paths.store_file
    yield from ((file, 0o600) for file in sorted(store.parent.glob(f"{store.name}*")) if file.is_file())


CHECK = Check(name="permissions", place=25, look=_look)
