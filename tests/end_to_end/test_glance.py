"""`perilune status` beside a running service: its gateway in one line."""

from collections.abc import Callable
from typing import Any

from tests.end_to_end.test_metrics import CONFIG


def test_the_gateway_is_told_while_it_runs(program: Any, sandbox: Any, start: Callable[..., Any]) -> None:
    program.configure(CONFIG)
    accounts = sandbox.world.accounts
    program.environment |= {
        "TEST_WORK_KEY": accounts["kimi-cn"].keys[0],
        "TEST_CI_KEY": accounts["moonshot-cn"].keys[0],
    }
    before = program.run("status").stdout
    assert "Gateway" not in before
    service = start(program)
    address = service.url.removeprefix("http://")
    told = program.run("status", PERILUNE_GATEWAY_LISTEN=address).stdout
    assert f"\nGateway {address}   default: work → ci   0 failovers today\n" in told
    chinese = program.run("status", "--lang", "zh-CN", PERILUNE_GATEWAY_LISTEN=address).stdout
    assert f"\n网关 {address}   default：work → ci   今日切换 0 次\n" in chinese
    assert "Gateway" not in program.run("status", "--brief", PERILUNE_GATEWAY_LISTEN=address).stdout
