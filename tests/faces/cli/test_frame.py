"""The frame of all commands: flags, help, errors, exit statuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import pytest
from click.testing import CliRunner
from tests.faces.cli.conftest import Cli

from perilune.compose.workbench import Workbench
from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.core.schemas import schema_files
from perilune.core.width import width
from perilune.faces.cli.app import COMMANDS, perilune
from perilune.faces.cli.output import Output
from perilune.faces.cli.problem import problem_lines
from perilune.faces.cli.session import Session

SOURCE = Path(__file__).parents[3] / "src"
LISTED = perilune.list_commands(click.Context(perilune))


def _process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "perilune", *arguments]
    surroundings = {**os.environ, "PYTHONPATH": str(SOURCE), **environment}
    return subprocess.run(command, env=surroundings, capture_output=True, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.case("experience E27")
def test_a_mistyped_command_names_the_nearest(cli: Cli) -> None:
    ran = cli("stauts")
    assert ran.status == 2
    assert ran.err.startswith("error[PL-USAGE]: perilune has no command 'stauts'. Nearest: status.\n")
    assert ran.out == ""
    chinese = cli("stauts", "--lang", "zh-CN")
    assert chinese.err.startswith("error[PL-USAGE]: 没有命令 stauts，最接近：status\n")
    assert len(chinese.err.splitlines()) == len(ran.err.splitlines())


def test_a_mistyped_flag_names_the_nearest(cli: Cli) -> None:
    ran = cli("explain", "--jsno")
    assert (ran.status, ran.out) == (2, "")
    assert "perilune explain has no option '--jsno'. Nearest: --json." in ran.err


@pytest.mark.parametrize(
    "arguments", [["--lang", "fr"], ["--tz", "Moon/Base", "explain"], ["accounts", "show"], ["explain", "--tz"]]
)
def test_wrong_usage_is_exit_2_in_one_shape(cli: Cli, arguments: list[str]) -> None:
    ran = cli(*arguments)
    assert ran.status == 2
    assert ran.err.startswith("error[PL-USAGE]: ")


def test_global_flags_stand_anywhere(cli: Cli) -> None:
    before, behind = cli("--lang", "zh-CN", "explain", "PL-BUG"), cli("explain", "PL-BUG", "--lang=zh-CN")
    assert before == behind
    assert "退出码 1" in before.out


def test_quiet_leaves_the_exit_status(cli: Cli) -> None:
    assert (cli("explain", "PL-BUG", "-q").out, cli("explain", "PL-BUG", "-q").status) == ("", 0)


def test_errors_are_json_too_when_json_was_asked_for(cli: Cli) -> None:
    ran = cli("explain", "PL-NO-SUCH-THING", "--json")
    document = json.loads(ran.out)
    jsonschema.validate(document, json.loads(schema_files()["error"].read_text()))
    assert (ran.status, document["error"]["code"]) == (2, "PL-USAGE")
    assert ran.err.startswith("error[PL-USAGE]")


def test_a_fault_of_ours_is_said_without_its_words(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object) -> None:
        raise RuntimeError("sk-EXAMPLEsecretinside0001")

    monkeypatch.setattr(Workbench, "configuration", broken)
    ran = cli("accounts", "list")
    assert ran.status == 1
    assert ran.err.startswith("error[PL-BUG]: Perilune has a fault: RuntimeError, accounts.py:")
    assert "secretinside" not in ran.err
    assert "secretinside" not in cli("accounts", "list", "-v", "-v").err


def test_an_interrupted_command_prints_a_newline_and_is_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Workbench, "configuration", interrupted)
    ran = cli("accounts", "list")
    assert (ran.status, ran.out, ran.err) == (130, "", "\n")


def test_only_commands_that_are_there_are_listed(cli: Cli) -> None:
    page = cli("--help").out or CliRunner().invoke(perilune, ["--help"]).output
    assert set(LISTED) <= set(COMMANDS)
    assert all(f"\n  {name} " in page for name in LISTED)


def _pages(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    pages = [(context.command_path, command.get_help(context))]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            pages += _pages(child, click.Context(child, parent=context, info_name=name))
    return pages


OURS = ("accounts", "add", "config", "discover", "explain", "perilune")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_help_pages_are_complete_and_fit(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERILUNE_LANG", language)
    for path, page in _pages(perilune, click.Context(perilune, info_name="perilune")):
        if path.split()[-1 if path == "perilune" else 1] not in OURS:
            continue
        assert all(width(line) <= 80 for line in page.splitlines()), path
        examples = [line for line in page.splitlines() if line.startswith("  perilune ") or "perilune " in line[2:]]
        assert len(examples) >= 2, path
        assert "Exit status:" in page or "退出码：" in page, path
        assert "  0" in page, path


def test_the_runner_of_click_works_too() -> None:
    workbench = Workbench(dict(os.environ))
    result = CliRunner().invoke(perilune, ["explain", "PL-BUG", "--no-color"], obj=Session.of_process(workbench))
    assert result.exit_code == 0


@pytest.mark.case("experience W7")
def test_a_c_locale_gets_ascii_and_no_encode_error() -> None:
    ran = _process(
        "explain", "PL-QUOTA-5H", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii"
    )
    assert ran.returncode == 0
    assert all(byte == 0x0A or 0x20 <= byte <= 0x7E for byte in ran.stdout)
    assert b'"... 5-hour usage limit ..."' in ran.stdout


@pytest.mark.case("experience W10")
def test_a_pipe_gets_no_escape_byte_and_80_columns() -> None:
    ran = _process("explain")
    assert b"\x1b" not in ran.stdout + ran.stderr
    assert max(width(line) for line in ran.stdout.decode().splitlines()) <= 80


def test_a_real_process_ends_with_the_status() -> None:
    assert _process("--version").stdout == b"perilune 0.1.0\n"
    wrong = _process("stauts")
    assert (wrong.returncode, wrong.stdout) == (2, b"")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from perilune.__main__ import main; sys.argv = ['perilune', '--help']\n"
        "status = main(); assert status == 0, status\n"
        "heavy = {'httpx2', 'starlette', 'uvicorn', 'sqlalchemy', 'cryptography', 'jinja2'}\n"
        "heavy |= {'rich', 'textual', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_reader_of_a_pipe_may_leave() -> None:
    command = f"{sys.executable} -m perilune explain | head -1"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, check=False)
    assert done.stderr == b""


def test_a_problem_has_at_most_8_lines_of_80_columns() -> None:
    long = " ".join(["word"] * 60)
    problem = Problem(
        code="PL-ADD-UNSURE",
        facts={"host": "api.moonshot.cn", "plan": long, "region": "cn", "pages": long, "removed": long},
        tried=tuple(f"api{number}.example 401" for number in range(9)),
    )
    lines = problem_lines(problem, Voice(), Output(sys.stdout, {"COLUMNS": "120"}))
    assert len(lines) <= 8
    assert all(width(line) <= 80 for line in lines)


def test_played_numbers_are_marked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERILUNE_UPSTREAM", "http://127.0.0.1:9009")
    assert cli("explain", "PL-BUG").out.endswith("SANDBOX: answers come from http://127.0.0.1:9009\n")
    assert cli("config", "path").out.count("\n") == 1
    assert json.loads(cli("explain", "PL-BUG", "--json").out)["sandbox"] is True
