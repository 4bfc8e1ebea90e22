"""Running a command as a person would, in this process."""

import io
import os
from collections.abc import Callable

import pytest
from msgspec import Struct

from perilune.compose.workbench import Workbench
from perilune.faces.cli.run import run
from perilune.faces.cli.session import Session


class Ran(Struct, frozen=True):
    """What a command line ended with and printed."""

    status: int
    out: str
    err: str


class _Stream(io.TextIOWrapper):
    def __init__(self, data: bytes = b"", encoding: str = "utf-8", *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data), encoding=encoding, write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode(self.encoding)


Cli = Callable[..., Ran]


@pytest.fixture
def cli() -> Cli:
    """`cli("add", "--stdin", given="...")`: run a command line with the test's environment."""

    def runs(*arguments: str, given: str = "", encoding: str = "utf-8", terminal: bool = False) -> Ran:
        stdin = _Stream(given.encode(), terminal=terminal)
        stdout, stderr = _Stream(encoding=encoding, terminal=terminal), _Stream(encoding=encoding, terminal=terminal)
        workbench = Workbench(dict(os.environ))
        status = run(list(arguments), workbench, Session(workbench, stdin=stdin, stdout=stdout, stderr=stderr))
        return Ran(status, stdout.text(), stderr.text())

    return runs
