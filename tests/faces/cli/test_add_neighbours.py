"""`perilune add` for what lies beside the two plans: the unofficial relay, the aggregator, another program's file."""

import json
from pathlib import Path

import pytest
from tests.faces.cli.conftest import Cli

from perilune.sandbox import SandboxThread
from perilune.sandbox.keys import K2_RELAY, KIMI_CN, KIMI_INTL, MOONSHOT_CN, OPENROUTER


def _config(cli: Cli) -> str:
    file = Path(cli("config", "path").out.strip())
    return file.read_text() if file.exists() else ""


def _peer(file: Path, *providers: dict[str, object]) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"version": 1, "providers": list(providers)}))


def _asked(sandbox: SandboxThread) -> list[str]:
    return [f"{entry.host}{entry.path}" for entry in sandbox.world.journal.select()]


def test_the_relay_is_taken_when_it_is_named_and_marked_where_it_is_shown(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", "--plan", "kimi-k2", given=K2_RELAY)
    assert ran.status == 0, ran.err
    assert _asked(sandbox) == ["kimi-k2.ai/api/user/credits"]
    assert "kimi-k2.ai (unofficial)" in ran.out
    status = cli("status")
    assert "kimi-k2.ai (unofficial)" in status.out
    assert "24% used   380 left" in status.out
    [account] = json.loads(cli("status", "--json").out)["accounts"]
    [window] = account["windows"]
    assert (window["id"], window["unit"], window["used"], window["remaining"]) == ("credits", "credits", 120, 380)
    assert "(unofficial)" in cli("accounts", "show", "kimi-k2").out


def test_a_key_of_the_vendor_is_not_sent_to_the_relay(cli: Cli, sandbox: SandboxThread) -> None:
    for more in ([], ["--no-probe"]):
        ran = cli("add", "--stdin", "--plan", "kimi-k2", *more, given=KIMI_CN)
        assert (ran.status, "error[PL-401-HOST]" in ran.err) == (4, True)
    assert _asked(sandbox) == []
    assert "kimi-k2" not in _config(cli)


def test_the_relays_variable_alone_makes_no_account(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_K2_API_KEY", K2_RELAY)
    assert "PL-ACCOUNT-NONE" in cli("status").err
    assert cli("add", "--from", "env").status == 4
    assert "opt-in: add --plan kimi-k2 --from env" in cli("discover").out
    assert _asked(sandbox) == []
    assert cli("add", "--from", "env", "--plan", "kimi-k2").status == 0
    assert 'key = "env:KIMI_K2_API_KEY"' in _config(cli)


def test_the_aggregators_key_and_credits_are_one_balance(cli: Cli, sandbox: SandboxThread) -> None:
    assert cli("add", "--stdin", given=OPENROUTER).status == 0
    assert set(_asked(sandbox)) <= {"openrouter.ai/api/v1/key", "openrouter.ai/api/v1/credits"}
    assert cli("accounts", "test", "openrouter").status == 0


@pytest.mark.case("accounts 10.12")
def test_keys_of_another_programs_file_are_offered_and_its_relay_is_named(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "bar" / "config.json"
    monkeypatch.setenv("CODEXBAR_CONFIG", str(file))
    _peer(
        file,
        {"id": "kimi", "apiKey": KIMI_INTL, "enabled": True},
        {"id": "moonshot", "apiKey": MOONSHOT_CN, "region": "china"},
        {"id": "kimik2", "apiKey": K2_RELAY},
        {"id": "zai", "apiKey": "EXAMPLE-zai-000000"},
    )
    before = file.read_bytes(), file.stat().st_mtime_ns
    ran = cli("add", "--from", "codexbar")
    assert ran.status == 0, ran.err
    assert "CodexBar: kimik2 skipped; take it by hand: perilune add --plan kimi-k2" in ran.err
    assert "CodexBar: zai skipped" in ran.err
    assert "kimi sk-…0001 → Kimi Code · intl (kimi.ai)" in ran.err.replace("sk-kimi-…", "sk-…")
    assert "→ Moonshot · cn (moonshot.cn)" in ran.err
    asked = _asked(sandbox)
    assert {host.partition("/")[0] for host in asked} == {"api.kimi.ai", "api.moonshot.cn"}
    listed = json.loads(cli("accounts", "list", "--json").out)["accounts"]
    assert {(one["plan"], one["region"]) for one in listed} == {("kimi-code", "intl"), ("moonshot", "cn")}
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_a_person_is_asked_for_each_key_of_another_program(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "bar" / "config.json"
    monkeypatch.setenv("CODEXBAR_CONFIG", str(file))
    _peer(file, {"id": "kimi", "apiKey": KIMI_CN, "region": "cn"}, {"id": "moonshot", "apiKey": MOONSHOT_CN})
    ran = cli("add", "--from", "codexbar", given="y\nn\n", terminal=True)
    assert ran.status == 0, ran.err
    assert "kimi-code" in _config(cli)
    assert "moonshot" not in _config(cli)
    assert not any("moonshot" in one for one in _asked(sandbox))
    assert cli("add", "--from", "codexbar", "--plan", "openrouter").status == 4
