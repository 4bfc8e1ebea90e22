"""`perilune config`."""

import json
import stat
from pathlib import Path

import jsonschema
import pytest
from tests.faces.cli.conftest import Cli


@pytest.fixture
def file(cli: Cli) -> Path:
    return Path(cli("config", "path").out.strip())


def test_a_setting_is_written_privately_and_explained(cli: Cli, file: Path) -> None:
    ran = cli("config", "set", "gateway.listen", "127.0.0.1:9787")
    assert (ran.status, ran.out) == (0, 'gateway.listen = "127.0.0.1:9787"\n')
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cli("config", "get", "gateway.listen").out == "127.0.0.1:9787\n"
    assert cli("config", "get", "gateway.listen", "--explain").out == (
        'gateway.listen = "127.0.0.1:9787"\n'
        "  flag         –\n"
        "  environment  –   (PERILUNE_GATEWAY_LISTEN)\n"
        '  file         "127.0.0.1:9787"   ~/perilune/config.toml:4   used\n'
        '  default      "127.0.0.1:8787"\n'
    )


def test_the_environment_is_named_when_it_is_used(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERILUNE_GATEWAY_QUEUE_MAX", "7")
    out = cli("config", "get", "gateway.queue_max", "--explain").out
    assert "  environment  7      (PERILUNE_GATEWAY_QUEUE_MAX)   used\n" in out


def test_a_plan_default_is_named(cli: Cli, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text('[[accounts]]\nname = "w"\nplan = "kimi-code"\nregion = "cn"\nkey = "env:X"\n')
    out = cli("config", "get", "accounts.w.max_concurrent_requests", "--explain").out
    assert "  plan         30   kimi-code   used\n" in out


def test_fixed_mode_names_the_variable_behind_each_value(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_LLM_PROVIDER_MODEL", "m")
    monkeypatch.setenv("API_OPENAI_FORCE_BASE_URL", "https://api.moonshot.cn/v1")
    assert cli("config", "get", "accounts").out == "[]\n"
    monkeypatch.setenv("API_OPEN_AI_API_KEY", "sk-EXAMPLE00000000")
    assert "(API_OPEN_AI_API_KEY)   used" in cli("config", "get", "accounts.fixed.region", "--explain").out


def test_a_wrong_value_or_key_is_not_written(cli: Cli, file: Path) -> None:
    cli("config", "set", "gateway.queue_max", "5")
    before = file.read_bytes()
    assert cli("config", "set", "gateway.queue_max", "many").status == 2
    ran = cli("config", "set", "gateway.listn", "x")
    assert "There is no setting 'gateway.listn'. Nearest: gateway.listen." in " ".join(ran.err.split())
    assert cli("config", "set", "gateway.listen", "8787").status == 2
    assert file.read_bytes() == before


def test_comments_and_order_stay(cli: Cli, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    text = "# mine\nschema = 1\n\n[gateway]  # here\nqueue_max = 5   # five\nlisten = '127.0.0.1:1'\n"
    file.write_text(text)
    cli("config", "set", "gateway.queue_max", "6")
    assert file.read_text() == text.replace("= 5 ", "= 6 ")
    cli("config", "unset", "gateway.queue_max")
    assert file.read_text() == text.replace("queue_max = 5   # five\n", "")


def test_validate_says_every_fault_with_its_line(cli: Cli, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text('[gateway]\nlisen = "x"\nqueue_max = "y"\n')
    ran = cli("config", "validate")
    assert ran.status == 2
    assert "config.toml:2: unknown key 'lisen'. Nearest: listen." in ran.err
    assert "config.toml:3: queue_max 'y' is not a whole number." in ran.err


def test_a_broken_file_does_not_keep_commands_from_speaking(cli: Cli, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("[gateway")
    assert cli("explain", "PL-BUG").status == 0
    assert "PL-CONFIG-SYNTAX" in cli("accounts", "list").err


def test_schemas_are_printed_by_name(cli: Cli) -> None:
    names = cli("config", "schema").out.split()
    assert {"config", "add", "discover", "error", "explain"} <= set(names)
    for name in names:
        jsonschema.Draft202012Validator.check_schema(json.loads(cli("config", "schema", name).out))
    assert "Nearest: explain." in cli("config", "schema", "explan").err


def test_the_configuration_schema_takes_the_example() -> None:
    from perilune.config.json_schema import config_schema

    account = {"name": "work", "plan": "kimi-code", "region": "cn", "key": "vault:work"}
    jsonschema.validate({"schema": 1, "accounts": [account]}, config_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema": 1, "acounts": []}, config_schema())


def test_edit_needs_a_terminal(cli: Cli) -> None:
    assert cli("config", "edit").status == 2
