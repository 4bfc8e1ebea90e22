"""`perilune add --from`: logins, pasted sessions and browsers become accounts that read, and no secret is shown."""

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from perilune.sandbox.identity import web_session

GET_USAGES = "/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages"


def login(sandbox: Any, *, left_s: float = 3600) -> Path:
    file = Path(os.environ["HOME"]) / ".kimi-code" / "credentials" / "kimi-code.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    token = sandbox.world.logins.issue("kimi-cn", sandbox.world.now())
    file.write_text(
        json.dumps({"access_token": token.access, "refresh_token": "r", "expires_at": time.time() + left_s})
    )
    return file


def chromium(token: str, host: str = ".kimi.com") -> None:
    profile = Path(os.environ["XDG_CONFIG_HOME"]) / "chromium" / "Default"
    profile.mkdir(parents=True)
    with closing(sqlite3.connect(profile / "Cookies")) as store:
        store.execute("CREATE TABLE meta(key TEXT, value TEXT)")
        store.execute(
            "CREATE TABLE cookies(host_key TEXT, name TEXT, value TEXT, encrypted_value BLOB, expires_utc INTEGER,"
            " last_access_utc INTEGER)"
        )
        store.execute("INSERT INTO cookies VALUES (?, 'kimi-auth', ?, x'', 0, 0)", (host, token))
        store.commit()


def status(program: Any) -> Any:
    [account] = json.loads(program.run("status", "--json").stdout)["accounts"]
    return account


def asked(sandbox: Any) -> list[str]:
    return [f"{one.host}{one.path}" for one in sandbox.world.journal.select(path="*")]


@pytest.fixture(autouse=True)
def _surroundings(program: Any) -> None:
    program.environment["XDG_CONFIG_HOME"] = os.environ["XDG_CONFIG_HOME"]


def test_the_clis_login_becomes_an_account_without_a_copy_of_it(program: Any, sandbox: Any) -> None:
    file = login(sandbox)
    before = file.read_bytes()
    added = program.run("add", "--from", "kimi-cli")
    assert added.returncode == 0, added.stderr
    assert "Kimi Code · cn (kimi.com)" in added.stdout
    assert 'Saved as "kimi-code".' in added.stdout
    config = (program.home / "config.toml").read_text()
    assert 'source = "cli-login"' in config
    assert "key" not in config
    tried = len(asked(sandbox))
    assert (status(program)["source"], file.read_bytes()) == ("cli-login", before)
    assert len(asked(sandbox)) == tried  # what was read when it was added is its first reading
    assert json.loads(before)["access_token"] not in added.stdout + added.stderr + config
    again = program.run("add", "--from", "kimi-cli")
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, 'already saved as "kimi-code"')


def test_an_expired_login_is_not_saved_and_the_remedy_is_told(program: Any, sandbox: Any) -> None:
    login(sandbox, left_s=-720)
    added = program.run("add", "--from", "kimi-cli")
    assert added.returncode == 4
    assert "error[PL-LOGIN-EXPIRED]: The Kimi CLI login expired 12m ago." in added.stderr
    assert "run kimi once" in added.stderr
    assert not (program.home / "config.toml").exists()
    assert asked(sandbox) == []


@pytest.mark.parametrize("flags", [("--from", "token"), ("--stdin",)])
@pytest.mark.parametrize(
    "form", ["{}", "kimi-auth={}; theme=dark", "curl 'https://www.kimi.com/x' -H 'Cookie: kimi-auth={}'"]
)
def test_a_pasted_session_is_tried_on_its_own_web_host_and_kept_in_the_vault(
    program: Any, sandbox: Any, flags: tuple[str, ...], form: str
) -> None:
    token = web_session("cn")
    added = program.run("add", *flags, stdin=form.format(token))
    assert added.returncode == 0, added.stderr
    assert {one.partition("/")[0] for one in asked(sandbox)} == {"www.kimi.com"}
    config = (program.home / "config.toml").read_text()
    assert 'web_session = "vault:kimi-code.web"' in config
    assert token not in added.stdout + added.stderr + config
    assert status(program)["source"] == "web-session"
    again = program.run("add", *flags, stdin=token)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, 'already saved as "kimi-code"')


def test_what_is_no_session_is_refused_and_not_sent(program: Any, sandbox: Any) -> None:
    added = program.run("add", "--from", "token", stdin="test.jwt.token")
    assert added.returncode == 2
    assert "error[PL-COOKIE-SHAPE]" in added.stderr
    assert asked(sandbox) == []


def test_a_refused_session_is_not_saved(program: Any, sandbox: Any) -> None:
    added = program.run("add", "--from", "token", stdin=web_session("cn", "gone"))
    assert added.returncode == 4
    assert "error[PL-COOKIE-EXPIRED]: www.kimi.com refuses the Kimi web session." in added.stderr
    assert not (program.home / "config.toml").exists()


def test_a_browsers_session_is_read_where_it_is_and_not_copied(program: Any, sandbox: Any) -> None:
    token = web_session("cn")
    chromium(token)
    added = program.run("add", "--from", "browser:chromium", "--json")
    assert added.returncode == 0, added.stderr
    report = json.loads(added.stdout)
    assert (report["account"]["source"], report["account"]["region"]) == ("web-session", "cn")
    config = (program.home / "config.toml").read_text()
    assert 'cookie_source = "auto"' in config
    assert 'browser = "chromium"' in config
    assert status(program)["source"] == "web-session"
    kept = [path.read_bytes() for path in program.home.rglob("*") if path.is_file()]
    assert not any(token.encode() in content for content in kept)


def test_without_a_login_in_a_browser_it_says_where_it_looked(program: Any, sandbox: Any) -> None:
    chromium("", host=".example.com")
    added = program.run("add", "--from", "browser")
    assert added.returncode == 4
    assert "error[PL-COOKIE-NONE]: No Kimi login found in Chromium (1 profile read)." in added.stderr
    assert asked(sandbox) == []


def test_an_origin_there_is_not_is_named_with_those_there_are(program: Any) -> None:
    added = program.run("add", "--from", "elsewhere")
    assert added.returncode == 2
    assert "env, kimi-cli, codexbar, token, browser[:NAME]" in " ".join(added.stderr.split())


def test_removing_the_account_removes_the_session_from_the_vault(program: Any, sandbox: Any) -> None:
    program.run("add", "--from", "token", stdin=web_session("cn"))
    assert "kimi-code.web" in (program.home / "vault" / "vault.json").read_text()
    removed = program.run("accounts", "remove", "kimi-code", "--yes")
    assert removed.returncode == 0, removed.stderr
    assert "kimi-code.web" not in (program.home / "vault" / "vault.json").read_text()


def test_accounts_test_tries_a_login_and_a_session(program: Any, sandbox: Any) -> None:
    login(sandbox)
    program.run("add", "--from", "kimi-cli", "--name", "cli")
    program.run("add", "--from", "token", "--name", "web", stdin=web_session("cn"))
    tried = program.run("accounts", "test", "cli")
    assert tried.returncode == 0, tried.stderr
    assert "api.kimi.com" in tried.stdout
    tried = program.run("accounts", "test", "web")
    assert tried.returncode == 0, tried.stderr
    assert "www.kimi.com" in tried.stdout
    assert "www.kimi.com/coding/v1/usages" not in asked(sandbox)
