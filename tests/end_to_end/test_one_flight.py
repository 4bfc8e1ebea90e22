"""Several processes on one store: an account is read by one of them, and all show it."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.end_to_end.conftest import Program

from perilune.sandbox import SandboxThread, keys

ACCOUNTS = """schema = 1
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:WORK"
[[accounts]]
name = "ci"
plan = "moonshot"
region = "intl"
key = "env:CI_KEY"
"""
KEYS = {"WORK": keys.KIMI_CN, "CI_KEY": keys.MOONSHOT_INTL}


def reads(sandbox: SandboxThread) -> dict[str, int]:
    found = sandbox.world.journal.select(path="*/usages"), sandbox.world.journal.select(path="*/balance")
    return {"work": len(found[0]), "ci": len(found[1])}


def ages(ran: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    accounts = json.loads(ran.stdout)["accounts"]
    return {account["name"]: account["fetched_at"] for account in accounts}


def test_two_services_and_three_commands_read_each_account_once(
    program: Program, sandbox: SandboxThread, start: Callable[..., Any]
) -> None:
    program.configure(ACCOUNTS)
    services = [start(program, **KEYS) for _ in range(2)]
    with ThreadPoolExecutor(3) as several:
        ran = list(several.map(lambda _: program.run("status", "--refresh", "--json", **KEYS), range(3)))
    assert [one.returncode for one in ran] == [0, 0, 0]
    assert reads(sandbox) == {"work": 1, "ci": 1}
    assert ages(ran[0]) == ages(ran[1]) == ages(ran[2])
    assert [service.stop() for service in services] == [0, 0]


@pytest.mark.case("accounts 11.2")
def test_three_commands_at_once_make_one_request(program: Program, sandbox: SandboxThread) -> None:
    program.configure(ACCOUNTS)
    with ThreadPoolExecutor(3) as several:
        ran = list(several.map(lambda _: program.run("status", "--refresh", "--json", **KEYS), range(3)))
    assert [one.returncode for one in ran] == [0, 0, 0]
    assert reads(sandbox) == {"work": 1, "ci": 1}
    assert ages(ran[0]) == ages(ran[1]) == ages(ran[2])
