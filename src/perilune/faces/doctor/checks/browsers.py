"""Browsers whose sessions an account may be read by: which are there, and whether their keyring can be asked."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from perilune.browsers.places import find_profiles
from perilune.faces.doctor.check import Check, Found
from perilune.faces.doctor.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    if not any(account.cookie_source == "auto" for account in scene.accounts):
        return
    home = Path(scene.environment.get("HOME") or Path.home())
    profiles = list(find_profiles(home, scene.environment))
    if not profiles:
        yield Found(status="warn", detail=scene.say("doctor.browsers.none"), fix=("perilune add --from token",))
        return
    names = dict.fromkeys(profile.browser for profile in profiles)
    told = ", ".join(f"{name} {sum(profile.browser == name for profile in profiles)}" for name in names)
    yield Found(status="ok", detail=scene.say("doctor.browsers.ok", browsers=told))
    needs_keyring = sys.platform.startswith("linux") and any(profile.family == "chromium" for profile in profiles)
    if needs_keyring and shutil.which("secret-tool", path=scene.environment.get("PATH", "")) is None:
        yield Found(status="warn", detail=scene.say("doctor.browsers.keyring"), fix=("apt install libsecret-tools",))


CHECK = Check(name="browsers", place=67, look=_look)
