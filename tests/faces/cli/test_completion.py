"""Completion: the candidates, and real shells that offer them."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faces.cli.conftest import Cli

from perilune.faces.cli.completing.candidates import candidates

SOURCE = Path(__file__).parents[3] / "src"
CONFIG = """schema = 1
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:NOTHING"
[[accounts]]
name = "worn"
plan = "moonshot"
region = "intl"
key = "env:NOTHING"
[[gateway.routes]]
name = "default"
slots = [{ account = "work" }]
"""
Offered = Callable[..., list[str]]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Offered:
    """`offered("accounts", "sh")`: the candidates for that line."""
    home = Path(os.environ["PERILUNE_HOME"])
    home.mkdir(parents=True)
    (home / "config.toml").write_text(CONFIG)
    return lambda *words: [value for value, _ in candidates(words, os.environ, "en")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("acc",), ["accounts"]),
        (("accounts", "sh"), ["show"]),
        (("accounts", "show", "wo"), ["work", "worn"]),
        (("accounts", "rename", "work", ""), []),
        (("status", "work", "wor"), ["work", "worn"]),
        (("gateway", "routes", "set", ""), ["default"]),
        (("gateway", "routes", "set", "default", "worn", "work"), ["work"]),
        (("gateway", "env", "c"), ["claude", "codex"]),
        (("explain", "PL-QUOTA-5"), ["PL-QUOTA-5H"]),
        (("accounts", "set", "work", "--source", "cl"), ["cli-login"]),
        (("accounts", "set", "work", "--source=cl"), ["--source=cli-login"]),
        (("add", "--plan", "moon"), ["moonshot"]),
        (("add", "--region", ""), ["cn", "intl"]),
        (("guard", "--min"), ["--min-left"]),
        (("--lang", "z"), ["zh-CN"]),
        (("--lang", "zh-CN", "expl"), ["explain"]),
        (("status", "--no-co"), ["--no-color"]),
        (("config", "get", "gateway.lis"), ["gateway.listen"]),
        (("config", "schema", "do"), ["doctor"]),
        (("completion", "p"), ["powershell"]),
        (("nonsense", "wo"), []),
        (("status", "--watch", ""), []),
    ],
)
def test_what_could_stand_there(offered: Offered, words: tuple[str, ...], found: list[str]) -> None:
    assert offered(*words) == found


def test_a_broken_configuration_offers_nothing(offered: Offered) -> None:
    (Path(os.environ["PERILUNE_HOME"]) / "config.toml").write_text("schema = ")
    assert offered("status", "") == []


def test_commands_are_offered_with_what_they_do() -> None:
    told = dict(candidates(("",), os.environ, "zh-CN"))
    assert told["doctor"] == "哪里有问题，如何修复。"
    assert told["accounts"]


def test_every_shell_has_its_script(cli: Cli) -> None:
    for shell in ("bash", "zsh", "fish", "powershell"):
        ran = cli("completion", shell)
        assert (ran.status, ran.err) == (0, "")
        assert "_PERILUNE_COMPLETE" in ran.out
    assert cli("completion", "tcsh").status == 2


def test_nothing_heavy_is_imported_on_the_way(offered: Offered) -> None:
    code = (
        "import sys; from perilune.__main__ import main; main();"
        "print([n for n in ('httpx2', 'starlette', 'sqlalchemy', 'rich', 'textual', 'prometheus_client') "
        "if n in sys.modules], file=sys.stderr)"
    )
    for words in (["acc"], ["accounts", "show", "w"], ["gateway", "keys", ""], ["explain", "PL-"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            env={**os.environ, "PYTHONPATH": str(SOURCE), "_PERILUNE_COMPLETE": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr.strip() == "[]", words
        assert done.stdout


@pytest.fixture
def shell_environment(offered: Offered, tmp_path: Path) -> dict[str, str]:
    """An environment where `perilune` is this program."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "perilune"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={SOURCE} exec {sys.executable} -m perilune "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "TERM": "dumb", "COLUMNS": "200"}


def _typed(argv: list[str], environment: dict[str, str], lines: list[str], until: str) -> str:
    """What a shell at a terminal has written once `until` is in it, after all lines were typed."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe(argv[0], argv, environment)
    seen = ""
    ends = time.monotonic() + 30
    try:
        for line in lines:
            os.write(terminal, line.encode())
            while time.monotonic() < ends and select.select([terminal], [], [], 1.0)[0]:
                seen += os.read(terminal, 65536).decode(errors="replace")
        while until not in seen and time.monotonic() < ends:
            if select.select([terminal], [], [], 0.5)[0]:
                seen += os.read(terminal, 65536).decode(errors="replace")
    finally:
        os.close(terminal)
        os.kill(process, 9)
        os.waitpid(process, 0)
    return seen


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_a_real_bash_completes(shell_environment: dict[str, str]) -> None:
    script = 'eval "$(perilune completion bash)"\n'
    seen = _typed(["bash", "--norc", "-i"], shell_environment, [script, "perilune acc\tsho\t"], "accounts show ")
    assert "perilune accounts show " in seen


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not here")
def test_a_real_zsh_completes(shell_environment: dict[str, str]) -> None:
    lines = ["autoload -U compinit; compinit -u\n", 'eval "$(perilune completion zsh)"\n', "perilune expl\t"]
    seen = _typed(["zsh", "-f", "-i"], shell_environment, lines, "explain")
    assert "explain" in seen.rpartition("perilune expl")[0] + seen.rpartition("perilune ")[2]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not here")
@pytest.mark.parametrize(("line", "found"), [("perilune acc", "accounts"), ("perilune accounts show ", "work")])
def test_a_real_fish_completes(shell_environment: dict[str, str], line: str, found: str) -> None:
    code = f"perilune completion fish | source; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", code],
        env=shell_environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert found in [row.partition("\t")[0] for row in done.stdout.splitlines()]
