"""`perilune add` with real processes: each kind of key is named rightly, and no key is lost or shown."""

import json
from typing import Any

import pytest

KINDS = [
    ("kimi-cn", "kimi-code", "cn", "kimi.com"),
    ("kimi-intl", "kimi-code", "intl", "kimi.ai"),
    ("moonshot-cn", "moonshot", "cn", "moonshot.cn"),
    ("moonshot-intl", "moonshot", "intl", "moonshot.ai"),
]


def key_of(sandbox: Any, account: str) -> str:
    key: str = sandbox.world.accounts[account].keys[0]
    return key


@pytest.mark.parametrize(("account", "plan", "region", "site"), KINDS)
def test_each_kind_of_key_is_named_rightly(
    program: Any, sandbox: Any, account: str, plan: str, region: str, site: str
) -> None:
    key = key_of(sandbox, account)
    added = program.run("add", "--stdin", stdin=key + "\n")
    assert added.returncode == 0, added.stderr
    assert f"{region} (" in added.stdout or region in added.stdout
    assert site in added.stdout
    status = json.loads(program.run("status", "--json").stdout)
    [shown] = status["accounts"]
    assert (shown["plan"], shown["region"]) == (plan, region)
    if plan == "moonshot":
        assert shown["balance"]["available"]["currency"] == {"cn": "CNY", "intl": "USD"}[region]
        assert shown["windows"] == []
    else:
        assert shown["balance"] is None
        assert {window["id"] for window in shown["windows"]} >= {"5h"}
    assert key not in added.stdout + added.stderr


def test_a_key_that_every_host_refuses_exits_4_and_names_the_hosts(program: Any) -> None:
    added = program.run("add", "--stdin", stdin="sk-0000000000000000000000000000000000000000\n")
    assert added.returncode == 4
    assert "PL-401-ALL" in added.stderr
    for host in ("api.kimi.com", "api.kimi.ai", "api.moonshot.ai", "api.moonshot.cn"):
        assert host in added.stdout + added.stderr


def test_a_host_that_is_not_reached_is_named_and_never_read_as_a_wrong_key(program: Any, sandbox: Any) -> None:
    sandbox.world.queue_fault(host="api.moonshot.cn", reset="head", count=None)
    added = program.run("add", "--stdin", stdin="sk-0000000000000000000000000000000000000000\n")
    assert added.returncode == 69
    assert "PL-ADD-UNSURE" in added.stderr
    assert "api.moonshot.cn" in added.stderr


@pytest.mark.parametrize("dirt", ['"{}"', "  {}  ", "{}\n", "export MOONSHOT_API_KEY='{}'\n", "Bearer {}"])
def test_dirt_around_a_key_is_removed_and_said(program: Any, sandbox: Any, dirt: str) -> None:
    added = program.run("add", "--stdin", "--json", stdin=dirt.format(key_of(sandbox, "moonshot-intl")))
    assert added.returncode == 0, added.stderr
    document = json.loads(added.stdout)
    assert document["account"]["plan"] == "moonshot"
    if dirt != "{}\n":
        assert document["removed"]
