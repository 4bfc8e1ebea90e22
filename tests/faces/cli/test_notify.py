"""`perilune notify`: channels added, listed, tried, removed; muting."""

import json
import os
from pathlib import Path

import jsonschema
import pytest
from tests.faces.cli.conftest import Cli

from perilune.core.schemas import schema_files


def home() -> Path:
    return Path(os.environ["PERILUNE_HOME"])


def test_a_bot_is_added_with_its_secrets_in_the_vault(cli: Cli) -> None:
    address = "https://open.example/hook/EXAMPLE-TOKEN"
    given = f"{address}\nsign-EXAMPLE\n"
    ran = cli("notify", "add", "team", "feishu", "--events", "spent,back,key", "--quiet-hours", "22:00-08:00",
              "--stdin", given=given)  # fmt: skip
    assert (ran.status, ran.out) == (0, "team: saved. Try it: perilune notify test team\n")
    text = (home() / "config.toml").read_text()
    assert 'key = "vault:notify:team"' in text
    assert 'secret = "vault:notify:team:sign"' in text
    assert "EXAMPLE" not in text
    assert "EXAMPLE" not in "".join(file.read_text() for file in home().rglob("vault.json"))
    listed = cli("notify", "list")
    assert listed.out.splitlines() == [
        "NAME  CHANNEL  EVENTS            QUIET        LAST",
        "team  feishu   spent, back, key  22:00-08:00  –",
    ]


def test_a_removed_channel_leaves_nothing_behind(cli: Cli) -> None:
    cli("notify", "add", "phone", "bark", "--stdin", given="device-EXAMPLE\n")
    cli("notify", "add", "desk", "desktop")
    assert cli("notify", "remove", "phone").out == "phone: removed\n"
    assert "phone" not in (home() / "config.toml").read_text()
    assert "desk" in (home() / "config.toml").read_text()
    (vault,) = home().rglob("vault.json")
    assert json.loads(vault.read_text())["entries"] == {}


def test_a_failed_addition_changes_nothing(cli: Cli) -> None:
    cli("notify", "add", "desk", "desktop")
    before = (home() / "config.toml").read_text()
    for wrong in (
        ("desk", "ntfy", "--url", "https://ntfy.example/t"),
        ("a b", "desktop"),
        ("phone", "bark"),
        ("mail", "email", "--server", "smtp.example"),
        ("hook", "exec"),
        ("other", "desktop", "--events", "sometimes"),
        ("other", "desktop", "--quiet-hours", "night"),
        ("other", "desktop", "--accounts", "nobody"),
    ):
        ran = cli("notify", "add", *wrong, "--no-input")
        assert (ran.status, ran.out) == (2, ""), wrong
        assert (home() / "config.toml").read_text() == before


@pytest.mark.parametrize("name", ["test", "remove"])
def test_an_unknown_channel_is_named_with_the_nearest(cli: Cli, name: str) -> None:
    cli("notify", "add", "desk", "desktop")
    ran = cli("notify", name, "dask")
    assert (ran.status, "There is no channel 'dask'. Nearest: desk." in ran.err) == (2, True)


def test_the_test_of_a_program_says_how_it_ended(cli: Cli) -> None:
    cli("notify", "add", "good", "exec", "--", "true")
    cli("notify", "add", "bad", "exec", "--", "false")
    assert cli("notify", "test", "good").out == "good (exec) took the test: exit 0\n"
    ran = cli("notify", "test", "bad")
    assert ran.status == 1
    assert "error[PL-NOTIFY]: bad (exec) does not take messages: exit 1." in ran.err
    chinese = cli("notify", "test", "bad", "--lang", "zh-CN")
    assert "error[PL-NOTIFY]: bad（exec）发送失败：exit 1" in chinese.err


def test_the_list_as_a_document(cli: Cli) -> None:
    cli("notify", "add", "bad", "exec", "--", "false")
    cli("notify", "test", "bad")
    cli("notify", "mute", "2h")
    document = json.loads(cli("notify", "list", "--json").out)
    jsonschema.validate(document, json.loads(schema_files()["notify"].read_text()))
    (channel,) = document["channels"]
    assert (channel["state"], channel["failures"], channel["words"]) == ("failing", 1, "exit 1")
    assert document["muted_until"] is not None


def test_a_channel_that_was_given_up_is_told_in_full(cli: Cli) -> None:
    cli("notify", "add", "bad", "exec", "--", "false")
    for _ in range(2):
        cli("notify", "test", "bad")
    assert cli("notify", "list").err == ""
    cli("notify", "test", "bad")
    ran = cli("notify", "list")
    assert ran.status == 0
    assert "x exit 1, " in ran.out
    assert ran.err.startswith("warning[PL-NOTIFY]: bad (exec) does not take messages: exit 1.")


def test_muting_and_its_end(cli: Cli) -> None:
    assert cli("notify", "mute", "2h").out.startswith("Muted until ")
    assert "(perilune notify mute 0 ends it)" in cli("notify", "list").out
    assert cli("notify", "mute", "0").out == "No longer muted.\n"
    assert cli("notify", "list").out == "No channel yet: perilune notify add NAME CHANNEL\n"
    assert cli("notify", "mute", "soon").status == 2


def test_a_renamed_account_keeps_its_channel(cli: Cli) -> None:
    account = '[[accounts]]\nname = "work"\nplan = "moonshot"\nregion = "cn"\nkey = "env:NO_SUCH_KEY"\n'
    home().mkdir(parents=True, exist_ok=True)
    (home() / "config.toml").write_text(f"schema = 1\n{account}")
    assert cli("notify", "add", "desk", "desktop", "--accounts", "work").status == 0
    assert cli("accounts", "rename", "work", "job").status == 0
    assert 'accounts = ["job"]' in (home() / "config.toml").read_text()
    assert cli("notify", "list").status == 0
