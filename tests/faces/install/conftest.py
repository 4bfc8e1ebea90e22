"""`installs("statusline", "--for", "kimi")`: the command in this process, at G1's moment."""

import io
import os
from collections.abc import Callable
from datetime import datetime

import pytest
from msgspec import Struct
from tests.support.g1 import NOW

from perilune.compose.workbench import Workbench
from perilune.faces.cli.run import run
from perilune.faces.cli.session import Session


class Ran(Struct, frozen=True):
    """What a command line ended with and printed."""

    status: int
    out: str
    err: str


class _Bench(Workbench):
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def installs() -> Callable[..., Ran]:
    def runs(*arguments: str) -> Ran:
        bench = _Bench({**os.environ, "TZ": "Asia/Shanghai"})
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(3)]
        session = Session(bench, stdin=streams[0], stdout=streams[1], stderr=streams[2])
        status = run(["install", *arguments], bench, session)
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])  # type: ignore[attr-defined]
        return Ran(status, out, err)

    return runs
