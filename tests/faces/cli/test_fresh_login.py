"""A login that has just been made reaches the disk late: a person may wait for it."""

import io
import os

import pytest

from perilune.compose.workbench import Workbench
from perilune.core.errors import CredentialError
from perilune.faces.cli.adding.fresh_login import found_in_time
from perilune.faces.cli.session import Session


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def session(said: str, *, is_terminal: bool = True) -> Session:
    kind = Terminal if is_terminal else io.StringIO
    return Session(Workbench(dict(os.environ)), stdin=kind(said), stdout=kind(), stderr=kind())


class Late:
    """A store in which a login appears at the n-th look, and a clock that the pauses move."""

    def __init__(self, at: int | None, code: str = "PL-COOKIE-NONE") -> None:
        self.at, self.code, self.looks, self.now = at, code, 0, 0.0

    def look(self) -> str:
        self.looks += 1
        if self.at is None or self.looks < self.at:
            raise CredentialError.of(self.code, site="kimi.com")
        return "found"

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def within(self, one: Session) -> str:
        return found_in_time(self.look, one, pause=self.pause, clock=lambda: self.now)


def test_a_person_waits_until_it_is_there() -> None:
    late = Late(at=16)
    assert late.within(session("y\n")) == "found"
    assert late.now == 30


def test_after_forty_seconds_it_is_not_found() -> None:
    late = Late(at=None)
    with pytest.raises(CredentialError, match="PL-COOKIE-NONE"):
        late.within(session("y\n"))
    assert late.now == 40


@pytest.mark.parametrize(("said", "is_terminal"), [("n\n", True), ("", False)])
def test_nobody_waits_who_does_not_want_to(said: str, is_terminal: bool) -> None:
    late = Late(at=2)
    with pytest.raises(CredentialError):
        late.within(session(said, is_terminal=is_terminal))
    assert late.looks == 1


def test_what_is_locked_is_not_waited_for() -> None:
    late = Late(at=2, code="PL-COOKIE-LOCKED")
    with pytest.raises(CredentialError, match="PL-COOKIE-LOCKED"):
        late.within(session("y\n"))
    assert late.looks == 1
