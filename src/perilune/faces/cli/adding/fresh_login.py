"""Waiting for a login that has just been made: browsers write a fresh one to their files half a minute late."""

import time
from collections.abc import Callable
from typing import TypeVar

from perilune.core.errors import CredentialError
from perilune.faces.cli.prompt import confirm
from perilune.faces.cli.session import Session

_LATE_S, _LOOK_EVERY_S = 40.0, 2.0
_NOT_FOUND = "PL-COOKIE-NONE"
T = TypeVar("T")


def found_in_time(
    look: Callable[[], T],
    session: Session,
    *,
    late_s: float = _LATE_S,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """What `look` finds, again for 40 seconds where a person says that the login is new.

    Raises: what `look` raises, PL-COOKIE-NONE only when the time is over or nobody waits.
    """
    try:
        return look()
    except CredentialError as error:
        if error.problem.code != _NOT_FOUND or not session.is_interactive:
            raise
        if not confirm(session, session.voice.say("add.just_logged_in")):
            raise
    until = clock() + late_s
    while True:
        pause(_LOOK_EVERY_S)
        try:
            return look()
        except CredentialError as error:
            if error.problem.code != _NOT_FOUND or clock() >= until:
                raise
