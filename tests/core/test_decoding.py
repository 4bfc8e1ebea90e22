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
from datetime import UTC, datetime
from decimal import Decimal
import msgspec
from perilune.core.decoding import decoded
from perilune.quota.snapshot import Snapshot, Window

window = Window(id="5h", label="5-hour", span_s=18000, used_ratio=Decimal("0.5"))
snapshot = Snapshot(
    account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=datetime.now(UTC), windows=(window,),
    models=("a",), plan_title="x", identity="i",
)
document = msgspec.json.encode(snapshot)
sys.setswitchinterval(1e-6)
ready = threading.Barrier(8)
found = []

def one():
    ready.wait()
    found.append(decoded(document, Snapshot))

threads = [threading.Thread(target=one) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == [snapshot] * 8
"""


def test_threads_that_meet_at_a_new_type_do_not_end_the_process() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=os.environ | {"PYTHONPATH": SOURCE},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
