"""An override as it is set, refused and shown on the command line."""

import json
from pathlib import Path

import pytest
from tests.faces.cli.conftest import Cli

CONFIG = """schema = 1
[[accounts]]
name = "ci"
plan = "moonshot"
region = "intl"
key = "env:MOONSHOT_API_KEY"
[[gateway.routes]]
name = "default"
slots = [{ account = "ci", model = "kimi-k2.6", thinking = "medium" }]
"""


@pytest.fixture
def file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-EXAMPLE0sandbox0moonshot0intl0000000000001")
    path = Path(cli("config", "path").out.strip())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


@pytest.mark.case("gateway OV-05")
@pytest.mark.parametrize("said", ['{"messages":[]}', "[1]", '{"headers":{"user-agent":"x"}}', "not json"])
def test_what_an_override_may_not_be_is_refused_when_it_is_saved(cli: Cli, file: Path, said: str) -> None:
    before = file.read_text()
    ran = cli("gateway", "routes", "set", "default", "ci", "--override", f"ci={said}")
    assert (ran.status, ran.out) == (2, "")
    assert file.read_text() == before


@pytest.mark.parametrize("said", ["{ messages = [] }", "[1]", '{ headers = { user-agent = "x" } }'])
def test_one_written_by_hand_is_refused_too(cli: Cli, file: Path, said: str) -> None:
    file.write_text(CONFIG.replace('thinking = "medium"', f"override = {said}"))
    ran = cli("config", "validate")
    assert ran.status == 2
    assert "config.toml:" in ran.err


def test_an_override_is_saved_linted_and_taken_away(cli: Cli, file: Path) -> None:
    ran = cli("gateway", "routes", "set", "default", "ci", "--override", 'ci={"thinking":{"type":"disabled"}}')
    assert ran.status == 0
    assert "PL-LINT-SHADOW" in ran.err
    assert "override" in file.read_text()
    ran = cli("gateway", "routes", "set", "default", "ci", "--override", "ci=null")
    assert (ran.status, ran.err) == (0, "")
    assert "override" not in file.read_text()
    assert 'thinking = "medium"' in file.read_text()


def test_a_preview_prints_the_body_and_why(cli: Cli, file: Path) -> None:
    cli("gateway", "routes", "set", "default", "ci", "--override", 'ci={"safety_identifier":"team"}')
    ran = cli("gateway", "try", "kimi-k2.6", "--show-body")
    assert ran.status == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "ci/kimi-k2.6  chat"
    assert '+ thinking: {"type":"enabled"}   (slot)' in lines
    assert '+ safety_identifier: "team"   (override)' in lines
    body = json.loads(lines[-1])
    assert body["messages"] == [{"role": "user", "content": "ping"}]
    assert body["safety_identifier"] == "team"


def test_explaining_tells_what_is_odd(cli: Cli, file: Path) -> None:
    file.write_text(CONFIG.replace('"kimi-k2.6", thinking = "medium"', '"kimi-k2.7-code", thinking = "off"'))
    ran = cli("gateway", "try", "anything", "--explain")
    assert ran.status == 0
    assert "PL-LINT-THINKING" in ran.err
