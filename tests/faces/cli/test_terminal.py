"""A real process on a real terminal."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perilune.sandbox import SandboxThread

pty = pytest.importorskip("pty")

SOURCE = Path(__file__).parents[3] / "src"
KIMI_CN = "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001"


def _read_until(terminal: int, wanted: str) -> str:
    seen = ""
    while wanted not in seen:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        seen += piece.decode()
    return seen.replace("\r\n", "\n")


def _start(*arguments: str) -> tuple[subprocess.Popen[bytes], int]:
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "perilune", *arguments],
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(other_end)
    return process, terminal


def test_a_pasted_key_is_hidden_but_for_its_end(sandbox: SandboxThread) -> None:
    process, terminal = _start("add", "--no-color")
    asked = _read_until(terminal, "stop): ")
    assert asked == "Paste a Kimi or Moonshot API key (hidden; Ctrl-C to stop): "
    os.write(terminal, f"{KIMI_CN}\n".encode())
    told = _read_until(terminal, "SANDBOX")
    assert process.wait() == 0
    os.close(terminal)
    assert told.startswith("••••••••••••0001\nTrying it with free read-only calls")
    assert "✓ Kimi Code · cn (kimi.com) · " in told
    assert KIMI_CN not in asked + told


def test_an_interrupted_prompt_ends_with_130_and_gives_the_echo_back() -> None:
    process, terminal = _start("add")
    _read_until(terminal, "stop): ")
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    os.close(terminal)


def test_a_key_that_was_wrapped_by_its_source_is_put_together(sandbox: SandboxThread) -> None:
    process, terminal = _start("add", "--no-color")
    _read_until(terminal, "stop): ")
    os.write(terminal, f"{KIMI_CN[:20]}\n{KIMI_CN[20:]}\n".encode())
    told = _read_until(terminal, "SANDBOX")
    assert process.wait() == 0
    os.close(terminal)
    assert "removed 1 line break" in " ".join(told.split())
