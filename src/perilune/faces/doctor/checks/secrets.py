"""The keys of the accounts: each can be read where its reference points."""

from collections.abc import Iterator

from perilune.core.errors import PeriluneError
from perilune.faces.doctor.check import Check, Found, of_problem
from perilune.faces.doctor.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    kinds: list[str] = []
    for account in scene.accounts:
        for reference in filter(None, (account.key, account.web_session)):
            try:
                scene.services.vault.read(reference, account.name)
                kinds.append(reference.partition(":")[0])
            except PeriluneError as error:
                yield of_problem(error.problem, scene.voice, subject=account.name)
    if kinds:
        told = " · ".join(f"{kind} {kinds.count(kind)}" for kind in dict.fromkeys(kinds))
        yield Found(status="ok", detail=scene.say("doctor.secrets.ok", kinds=told))


CHECK = Check(name="secrets", place=20, look=_look)
