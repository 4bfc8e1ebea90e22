"""Typed decoding in many threads at once, in a process of its own: what goes wrong there ends it."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from perilune.core.decoding import converted, decoded


class _Point(msgspec.Struct):
    x: int
    y: int = 0


def test_what_is_not_the_type_is_told() -> None:
    assert decoded(b'{"x": 1}', _Point) == _Point(1)
    assert converted({"x": 1}, _Point) == _Point(1)
    assert converted({"x": "1"}, _Point, strict=False) == _Point(1)
    with pytest.raises(msgspec.ValidationError):
        decoded(b"{}", _Point)
    with pytest.raises(msgspec.ValidationError):
        converted({"x": "1"}, _Point)


SOURCE = str(Path(__file__).parents[2] / "src")
PROGRAM = """
import sys, threading
from perilune.core.decoding import decoded
from perilune.quota.snapshot import Snapshot
from perilune.store.rows import encoded
sys.setswitchinterval(1e-6)
ready = threading.Barrier(8)
def one():
    ready.wait()
    try:
        decoded(b'{"account": "work"}', Snapshot)
    except Exception as error:
        assert "Validation" in type(error).__name__, error
threads = [threading.Thread(target=one) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_threads_that_meet_at_a_new_type_do_not_end_the_process() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=os.environ | {"PYTHONPATH": SOURCE},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
