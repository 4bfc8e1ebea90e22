"""The system's keyring, where an account's key is kept in it."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

from perilune.faces.doctor.check import Check, Found
from perilune.faces.doctor.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    names = [account.name for account in scene.accounts if (account.key or "").startswith("keyring:")]
    if not names:
        return
    if find_spec("keyring") is None:
        told = scene.say("doctor.keyring.missing", names=", ".join(names))
        yield Found(status="fail", detail=told, fix=("pip install 'perilune[keyring]'",))
    else:
        keyring = import_module("keyring")
        kept_by = type(keyring.get_keyring()).__module__.removeprefix("keyring.backends.")
        yield Found(status="ok", detail=scene.say("doctor.keyring.ok", kept_by=kept_by))


CHECK = Check(name="keyring", place=22, look=_look)
