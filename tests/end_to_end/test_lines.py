"""From a key in the environment to the status line, the guard and the forecast: real processes, played vendors."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from perilune.core.schemas import schema_files
from perilune.sandbox import SandboxThread, keys

SOURCE = Path(__file__).resolve().parents[2] / "src"


def perilune(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "perilune", *arguments],
        env=os.environ | {"PYTHONPATH": str(SOURCE), "KIMI_CODE_API_KEY": keys.KIMI_CN} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("sandbox")
def test_what_status_read_is_on_the_status_line() -> None:
    (account,) = json.loads(perilune("status", "--json").stdout)["accounts"]
    window = next(one for one in account["windows"] if one["id"] == account["effective"]["binding"])
    line = perilune("statusline")
    assert (line.returncode, line.stderr) == (0, "")
    assert line.stdout.startswith(f"{window['id']} {int(window['used_ratio'] * 100)}%")
    told = json.loads(perilune("statusline", "--for", "waybar").stdout)
    assert "sandbox" in told["class"]


@pytest.mark.usefixtures("sandbox")
def test_a_lost_line_is_made_again_from_the_store() -> None:
    perilune("status")
    before = perilune("statusline").stdout
    file = Path(os.environ["PERILUNE_HOME"]) / "line.json"
    assert file.stat().st_mode & 0o077 == 0
    file.unlink()
    assert perilune("statusline").stdout == before
    assert file.exists()


@pytest.mark.usefixtures("sandbox")
def test_a_changed_configuration_is_taken_over_at_once() -> None:
    perilune("status")
    before = perilune("statusline").stdout
    config = Path(os.environ["PERILUNE_HOME"]) / "config.toml"
    config.write_text('schema = 1\n[display]\npercent = "left"\n')
    config.chmod(0o600)
    later = time.time() + 5
    os.utime(config, (later, later))
    assert "↓" not in before
    assert "↓" in perilune("statusline").stdout


@pytest.mark.usefixtures("sandbox")
def test_a_configuration_that_cannot_be_read_is_said_in_the_line() -> None:
    perilune("status")
    config = Path(os.environ["PERILUNE_HOME"]) / "config.toml"
    config.write_text("schema = 1\nnonsense = 2\n")
    config.chmod(0o600)
    later = time.time() + 5
    os.utime(config, (later, later))
    done = perilune("statusline")
    assert (done.returncode, done.stdout) == (0, "K ! PL-CONFIG-KEY\n")


@pytest.mark.usefixtures("sandbox")
def test_the_guard_reads_before_it_answers() -> None:
    done = perilune("guard", "--min-left", "1%", "--json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(schema_files()["guard"].read_bytes()))
    assert (done.returncode, document["decision"]) == (0, "safe")
    assert perilune("guard", "--min-left", "100%").returncode == 1


def test_a_guard_that_reaches_nobody_fails_closed(sandbox: SandboxThread) -> None:
    done = perilune("guard", PERILUNE_UPSTREAM="http://127.0.0.1:9")
    assert done.returncode == 69
    assert done.stdout.startswith("unchecked: api.kimi.com not reached (connection refused); no reading yet")
    assert perilune("guard", "--fail-open", PERILUNE_UPSTREAM="http://127.0.0.1:9").returncode == 0


def test_a_refused_key_is_exit_4(sandbox: SandboxThread) -> None:
    done = perilune("guard", KIMI_CODE_API_KEY="sk-kimi-EXAMPLE0refused00000000000000000001")
    assert (done.returncode, done.stdout) == (4, "")
    assert "error[PL-401-KEY]" in done.stderr
    assert perilune("statusline").stdout == "K ! key refused\n"


def until(holds: Callable[[], bool]) -> bool:
    """Whether something comes to hold within 20 seconds."""
    for _ in range(400):
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_a_service_keeps_the_line_and_reads_when_a_line_is_stale(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    key = sandbox.world.accounts["moonshot-cn"].keys[0]
    assert program.run("add", "--stdin", "--no-input", stdin=key).returncode == 0
    file = program.home / "line.json"
    service = start(program)
    pid = service.process.pid

    def was_kept() -> bool:
        line = json.loads(file.read_text()) if file.exists() else {}
        return line.get("service") == pid and line["accounts"][0]["fetched_at"] is not None

    assert until(was_kept)
    assert program.run("statusline").stdout.startswith("CNY ")
    with sqlite3.connect(program.home / "perilune.db") as store:
        store.execute("UPDATE reads SET tried_at = tried_at - 600000")
        (before,) = store.execute("SELECT tried_at FROM reads").fetchone()
    (program.home / "line.wanted").write_text("1")

    def was_read() -> bool:
        with sqlite3.connect(program.home / "perilune.db") as store:
            return bool(store.execute("SELECT tried_at FROM reads").fetchone()[0] > before)

    assert until(was_read)
    assert service.stop() == 0
