"""The first run takes a login that was found, when a person says so."""

import json
import os
import time
from pathlib import Path

import pytest
from tests.faces.cli.conftest import Cli

from perilune.sandbox import SandboxThread, keys


def login(sandbox: SandboxThread, left_s: float = 3600) -> Path:
    file = Path(os.environ["HOME"]) / ".kimi-code" / "credentials" / "kimi-code.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    token = sandbox.world.logins.issue("kimi-cn", sandbox.world.now()).access
    file.write_text(json.dumps({"access_token": token, "refresh_token": "r", "expires_at": time.time() + left_s}))
    return file


def config() -> str:
    file = Path(os.environ["PERILUNE_HOME"]) / "config.toml"
    return file.read_text() if file.exists() else ""


def test_enter_takes_a_login_with_a_key_beside_it(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = login(sandbox).read_bytes()
    monkeypatch.setenv("MOONSHOT_API_KEY", keys.MOONSHOT_INTL)
    ran = cli(given="\n", terminal=True)
    assert ran.status == 0
    assert 'source = "cli-login"' in config()
    assert 'key = "env:MOONSHOT_API_KEY"' in config()
    assert json.loads(before)["access_token"] not in ran.out + ran.err + config()


def test_an_expired_login_keeps_no_key_back(cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> None:
    login(sandbox, left_s=-720)
    monkeypatch.setenv("MOONSHOT_API_KEY", keys.MOONSHOT_INTL)
    ran = cli(given="\n", terminal=True)
    assert ran.status == 4
    assert "error[PL-LOGIN-EXPIRED]" in ran.err
    assert "cli-login" not in config()
    assert 'key = "env:MOONSHOT_API_KEY"' in config()
