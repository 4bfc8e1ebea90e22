"""`perilune accounts` against the played vendors."""

import contextlib
import json
import os
import re
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.faces.cli.conftest import Cli

from perilune.compose.workbench import Workbench
from perilune.core.schemas import schema_files
from perilune.core.secret import Secret
from perilune.sandbox import SandboxThread

KIMI_CN = "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001"
KIMI_INTL = "sk-kimi-EXAMPLE0sandbox0intl00000000000000001"
MOONSHOT_CN = "sk-EXAMPLE0sandbox0moonshot0cn000000000000001"

ROUTE = '\n[[gateway.routes]]\nname = "default"\nslots = [{ account = "work" }, { account = "lab" }]\n'


@pytest.fixture
def two(cli: Cli, sandbox: SandboxThread) -> Path:
    """Two accounts, `work` and `lab`, on one route; the path of the configuration."""
    assert cli("add", "--stdin", "--name", "work", given=KIMI_CN).status == 0
    assert cli("add", "--stdin", "--name", "lab", given=MOONSHOT_CN).status == 0
    file = Path(cli("config", "path").out.strip())
    file.write_text(file.read_text() + ROUTE)
    sandbox.world.journal.clear()
    return file


def _account(file: Path, name: str) -> dict[str, Any]:
    return next(one for one in tomllib.loads(file.read_text())["accounts"] if one["name"] == name)


def test_the_list_shows_what_is_known_and_no_key(cli: Cli, two: Path) -> None:
    lines = cli("accounts", "list").out.splitlines()
    assert lines[0].split() == ["NAME", "PLAN", "REGION", "SOURCE", "KEY", "CAP", "STATE", "AGE"]
    assert lines[1].split()[:6] == ["work", "kimi-code", "cn", "api-key", "sk-kimi-…0001", "30"]
    assert KIMI_CN not in cli("accounts", "list", "--json").out
    document = json.loads(cli("accounts", "list", "--json").out)
    jsonschema.validate(document, json.loads(schema_files()["accounts"].read_text()))


def test_show_says_what_the_key_is_bound_to(cli: Cli, two: Path) -> None:
    out = cli("accounts", "show", "work").out
    assert "\nkey        sk-kimi-…0001   vault:work   bound to api.kimi.com\n" in out
    assert "\nterms      Kimi Code is reserved for one person's own development work\n" in out
    assert KIMI_CN not in out


def test_test_repeats_the_free_call_on_the_bound_host_alone(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    ran = cli("accounts", "test", "work")
    assert ran.status == 0
    assert ran.out.startswith("✓ key        accepted by api.kimi.com ")
    assert "\n✓ models     " in ran.out
    assert {entry.host for entry in sandbox.world.journal.select()} == {"api.kimi.com"}


def test_settings_are_told_in_one_line(cli: Cli, two: Path) -> None:
    ran = cli("accounts", "set", "work", "--max-concurrent-requests", "28")
    assert ran.out.splitlines()[0] == "work: cap 30 → 28"
    assert _account(two, "work")["max_concurrent_requests"] == 28


def test_a_stored_key_does_not_go_to_another_region_unasked(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    before = two.read_text()
    ran = cli("accounts", "set", "work", "--region", "intl")
    assert (ran.status, two.read_text()) == (2, before)
    assert sandbox.world.journal.select() == []
    assert cli("accounts", "set", "work", "--region", "intl", "--yes").status == 4
    assert two.read_text() == before


def test_another_region_takes_the_key_again(cli: Cli, two: Path) -> None:
    ran = cli("accounts", "set", "work", "--region", "intl", "--stdin", given=KIMI_INTL)
    assert (ran.status, ran.out.splitlines()[0]) == (0, "work: region cn → intl")
    assert cli("accounts", "test", "work").out.startswith("✓ key        accepted by api.kimi.ai ")


def test_another_address_takes_the_key_again(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    ran = cli("accounts", "set", "work", "--base-url", "https://proxy.example.com/kimi")
    assert ran.status == 2
    assert sandbox.world.journal.select() == []


def test_an_endpoint_as_an_address_is_refused_with_the_repair(cli: Cli, two: Path) -> None:
    ran = cli(
        "accounts", "set", "work", "--base-url", "https://h.example/v1/chat/completions", "--stdin", given=KIMI_CN
    )
    assert ran.status == 2
    assert "use https://h.example/v1" in ran.err


@pytest.mark.case("gateway GU-08")
@pytest.mark.parametrize("masked", ["sk-…abc", "•••", "***"])
def test_a_masked_key_sent_back_changes_nothing(cli: Cli, two: Path, sandbox: SandboxThread, masked: str) -> None:
    ran = cli("accounts", "rotate", "work", "--stdin", given=masked)
    assert (ran.status, ran.out.splitlines()[0]) == (0, "work: unchanged")
    assert cli("accounts", "test", "work").status == 0


def test_a_refused_new_key_is_not_kept(cli: Cli, two: Path) -> None:
    ran = cli("accounts", "rotate", "work", "--stdin", given=KIMI_INTL)
    assert ran.status == 4
    assert cli("accounts", "test", "work").status == 0


def test_a_rename_takes_routes_and_key_along(cli: Cli, two: Path) -> None:
    assert cli("accounts", "rename", "work", "main").out.splitlines()[0] == "renamed work to main"
    assert _account(two, "main")["key"] == "vault:main"
    assert 'slots = [{ account = "main" }, { account = "lab" }]' in two.read_text()
    assert cli("accounts", "test", "main").status == 0
    assert cli("config", "validate").status == 0


def test_remove_asks_and_takes_the_slots_along(cli: Cli, two: Path) -> None:
    assert cli("accounts", "remove", "lab").status == 2
    ran = cli("accounts", "remove", "lab", "--yes")
    assert ran.out.splitlines()[0] == "removed lab; its history stays"
    assert 'slots = [{ account = "work" }]' in two.read_text()
    assert cli("config", "validate").status == 0


def test_an_unknown_name_names_the_nearest(cli: Cli, two: Path) -> None:
    ran = cli("accounts", "show", "wrok")
    assert ran.status == 2
    assert "There is no account 'wrok'. Nearest: work." in ran.err


def test_an_implied_account_is_not_changed(cli: Cli, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_CODE_API_KEY", KIMI_INTL)
    ran = cli("accounts", "remove", "kimi-code-env", "--yes")
    assert ran.status == 2
    assert "comes from KIMI_CODE_API_KEY" in ran.err


def test_without_an_account_it_says_so(cli: Cli) -> None:
    ran = cli("accounts", "list")
    assert ran.status == 4
    assert "error[PL-ACCOUNT-NONE]: No account yet." in ran.err


def test_show_names_a_few_models_and_how_many_more(cli: Cli, two: Path) -> None:
    [line] = [line for line in cli("accounts", "show", "work").out.splitlines() if line.startswith("models")]
    assert re.fullmatch(r"models     kimi-for-coding, \S+, \S+ and [1-9] more", line)


def test_what_was_read_moves_with_a_rename(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    [before] = json.loads(cli("status", "work", "--json").out)["accounts"]
    assert cli("accounts", "rename", "work", "main").status == 0
    [after] = json.loads(cli("status", "main", "--json").out)["accounts"]
    assert after["fetched_at"] == before["fetched_at"] is not None
    assert (after["plan_title"], after["windows"]) == (before["plan_title"], before["windows"])
    assert sandbox.world.journal.select() == []


@pytest.mark.parametrize(("flags", "said", "kept"), [((), "its history stays", 1), (("--purge",), "its history", 0)])
def test_history_goes_only_when_that_is_asked_for(
    cli: Cli, two: Path, flags: tuple[str, ...], said: str, kept: int
) -> None:
    assert cli("accounts", "remove", "lab", "--yes", *flags).out.splitlines()[0].endswith(said)
    with contextlib.closing(sqlite3.connect(two.with_name("perilune.db"))) as store:
        asked = "SELECT count(*) FROM {} WHERE account = 'lab'"
        [[samples]] = store.execute(asked.format("balance_samples"))
        [[known]] = store.execute(asked.format("latest"))
    assert (samples, known) == (kept, 0)


def test_a_key_of_the_environment_serves_for_a_run_and_nothing_of_it_is_saved(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-EXAMPLE0sandbox0moonshot0intl0000000000001"
    monkeypatch.setenv("MOONSHOT_API_KEY", key)
    ran = cli("status", "--json")
    [shown] = json.loads(ran.out)["accounts"]
    assert (ran.status, shown["name"], shown["region"]) == (0, "moonshot-env", "intl")
    assert {entry.host for entry in sandbox.world.journal.select()} == {"api.moonshot.ai"}
    files = [file for file in Path(cli("config", "path").out.strip()).parent.rglob("*") if file.is_file()]
    assert not any(file.suffix == ".toml" or key.encode() in file.read_bytes() for file in files)


def test_a_rename_takes_a_kept_session_along(cli: Cli, two: Path) -> None:
    vault = Workbench(dict(os.environ)).vault
    reference = vault.store("work.web", Secret("EXAMPLE"))
    two.write_text(two.read_text().replace('name = "work"\n', f'name = "work"\nweb_session = "{reference}"\n'))
    assert cli("accounts", "rename", "work", "main").status == 0
    assert _account(two, "main")["web_session"] == "vault:main.web"
    assert vault.read("vault:main.web", "main").reveal() == "EXAMPLE"
    assert cli("accounts", "rename", "main", "work").status == 0
    assert _account(two, "work")["key"] == "vault:work"
