"""`perilune discover` and the first run."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from tests.faces.cli.conftest import Cli

from perilune.core.schemas import schema_files
from perilune.sandbox import SandboxThread

MOONSHOT_INTL = "sk-EXAMPLE0sandbox0moonshot0intl0000000000001"
CODEXBAR = "sk-EXAMPLE0codexbar000000000000000000000077de"

NOTHING = """\
No account yet, and no Kimi or Moonshot credential on this machine.
  Paste a key:        perilune add
  Where to get one:   Kimi Code  kimi.com/code/console  or  kimi.ai/code/console
                      Moonshot   platform.kimi.com      or  platform.kimi.ai
  Look around first:  perilune up --demo --open
"""


@pytest.fixture
def home() -> Path:
    return Path(os.environ["HOME"])


def _login(home: Path, left: timedelta) -> Path:
    file = home / ".kimi-code" / "credentials" / "kimi-code.json"
    file.parent.mkdir(parents=True)
    expires = (datetime.now(UTC) + left).timestamp()
    file.write_text(json.dumps({"access_token": "EXAMPLE", "refresh_token": "EXAMPLE", "expires_at": expires}))
    return file


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


@pytest.mark.case("accounts 10.11")
def test_everything_is_listed_and_nothing_is_sent_or_written(
    cli: Cli, home: Path, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    _login(home, timedelta(minutes=11, seconds=30))
    bar = home / ".config" / "codexbar" / "config.json"
    bar.parent.mkdir(parents=True)
    bar.write_text(
        json.dumps({"providers": [{"id": "moonshot", "apiKey": CODEXBAR}, {"id": "other", "apiKey": "x" * 20}]})
    )
    for name in ("Default", "Profile 1"):
        (home / ".config" / "google-chrome" / name / "Network").mkdir(parents=True)
        (home / ".config" / "google-chrome" / name / "Network" / "Cookies").write_bytes(b"never opened")
    monkeypatch.setenv("MOONSHOT_API_KEY", MOONSHOT_INTL)
    monkeypatch.setenv("KIMI_API_KEY", "sk-EXAMPLE0other0program0000")
    before = _files(home)
    ran = cli("discover")
    assert ran.status == 0
    assert "Kimi Code CLI     ~/.kimi-code/credentials/kimi-code.json   login     valid 11m\n" in ran.out
    assert "environment       MOONSHOT_API_KEY                          sk-…0001  new\n" in ran.out
    assert "environment       KIMI_API_KEY                              sk-…0000  found, not used\n" in ran.out
    assert "CodexBar          ~/.config/codexbar/config.json            moonshot  new\n" in ran.out
    assert "browsers          Chrome 2 profiles                         –         not read\n" in ran.out
    assert "CodexBar: other skipped" in ran.err
    assert MOONSHOT_INTL not in ran.out + ran.err
    assert _files(home) == before
    assert sandbox.world.journal.select() == []


def test_json_is_one_document_of_its_schema(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", MOONSHOT_INTL)
    document = json.loads(cli("discover", "--json").out)
    jsonschema.validate(document, json.loads(schema_files()["discover"].read_text()))
    assert [(one["kind"], one["where"]) for one in document["found"]] == [("environment", "MOONSHOT_API_KEY")]


def test_a_key_that_is_saved_is_named(cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("add", "--stdin", "--name", "ci", given=MOONSHOT_INTL)
    monkeypatch.setenv("MOONSHOT_KEY", MOONSHOT_INTL)
    assert "saved as ci" in cli("discover").out


@pytest.mark.case("accounts 1.2")
def test_the_name_that_other_tools_share_is_found_and_not_used(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_API_KEY", "kimi-api-token")
    assert "found, not used" in cli("discover").out
    ran = cli("status")
    assert (ran.status, "PL-ACCOUNT-NONE" in ran.err) == (4, True)


@pytest.mark.case("accounts 1.7")
def test_a_blank_key_is_no_account_and_no_call(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", "   ")
    ran = cli("status")
    assert (ran.status, "PL-ACCOUNT-NONE" in ran.err) == (4, True)
    assert sandbox.world.journal.select() == []


@pytest.mark.case("experience F8")
def test_a_login_alone_is_listed_and_not_adopted(cli: Cli, home: Path, sandbox: SandboxThread) -> None:
    _login(home, timedelta(minutes=11, seconds=30))
    ran = cli("status")
    assert ran.status == 4
    assert ran.err.startswith(
        "No account yet. Found on this machine (nothing sent, nothing copied):\n"
        "  1  Kimi Code CLI login   ~/.kimi-code/credentials/kimi-code.json  valid 11m\n",
    )
    assert "error[PL-ACCOUNT-NONE]" in ran.err
    assert sandbox.world.journal.select() == []


def test_with_nothing_found_the_first_run_says_where_to_go(cli: Cli) -> None:
    ran = cli()
    assert (ran.status, ran.out) == (4, NOTHING)
    assert cli(terminal=True).status == 0


def test_the_first_run_asks_once_and_enter_takes_all(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", MOONSHOT_INTL)
    ran = cli(given="\n", terminal=True)
    assert ran.status == 0
    assert "  1  MOONSHOT_API_KEY      environment                              sk-…0001\n" in ran.err
    assert "Use which? [1, all, none] (all): " in ran.err
    assert 'Saved as "moonshot"' in ran.out


def test_none_takes_none(cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", MOONSHOT_INTL)
    ran = cli(given="none\n", terminal=True)
    assert (ran.status, "PL-ACCOUNT-NONE" in ran.err) == (4, True)
    assert sandbox.world.journal.select() == []


def test_without_a_terminal_keys_of_the_environment_serve_for_the_run(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", MOONSHOT_INTL)
    assert cli("accounts", "list").out.splitlines()[1].startswith("moonshot-env  moonshot  intl")
