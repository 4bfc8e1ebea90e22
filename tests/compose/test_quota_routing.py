"""A plan's window fills while requests run: the way changes before the vendor refuses, and back after the reset."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.conftest import Client

from perilune.compose.stack import Stack
from perilune.compose.workbench import Workbench
from perilune.faces.api.hub import Hub
from perilune.sandbox import SandboxThread

CONFIG = """schema = 1
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:TEST_WORK_KEY"

[[accounts]]
name = "ci"
plan = "moonshot"
region = "cn"
key = "env:TEST_CI_KEY"

[[gateway.routes]]
name = "default"
slots = [{ account = "work", model = "kimi-for-coding" }, { account = "ci", model = "kimi-k2.6" }]
"""


class AtTheirTime(Workbench):
    """A workbench on the vendors' clock, which tests move."""

    clock: Any

    def now(self) -> datetime:
        at: datetime = self.clock.now()
        return at


@pytest.fixture
async def stack(home: None, sandbox: SandboxThread) -> AsyncIterator[Stack]:
    bench = AtTheirTime(dict(os.environ))
    bench.clock = sandbox.world.clock
    opened = Stack(bench, Hub(), listen=lambda: "127.0.0.1:8787")
    await opened.start()
    yield opened
    await opened.stop(0)


@pytest.fixture
def home(sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration with a plan and a fallback that costs money."""
    accounts = sandbox.world.accounts
    monkeypatch.setenv("TEST_WORK_KEY", accounts["kimi-cn"].keys[0])
    monkeypatch.setenv("TEST_CI_KEY", accounts["moonshot-cn"].keys[0])
    home = Path(os.environ["PERILUNE_HOME"])
    home.mkdir(parents=True)
    (home / "config.toml").write_text(CONFIG)
    (home / "config.toml").chmod(0o600)


async def ask(stack: Stack, count: int) -> list[str]:
    """Who answered each of so many new conversations."""
    client = Client(stack.engine.gateway)
    answers = [await client.chat(f"ping {number}") for number in range(count)]
    assert [answer.status for answer in answers] == [200] * count
    return [answer.headers["x-perilune-account"] for answer in answers]


def refused(sandbox: SandboxThread) -> int:
    return sum(request.status == 403 for request in sandbox.world.requests(method="POST"))


async def states(stack: Stack) -> list[tuple[str, str, str | None]]:
    document = await stack.live.routes("en")
    return [(slot.account, slot.state, slot.reason) for slot in document.routes[0].slots]


async def test_the_way_changes_before_the_first_refusal_and_back_after_the_reset(
    stack: Stack, sandbox: SandboxThread
) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"limit": 100, "used": 60, "resets_in_s": 3600}})
    await stack.read("work")
    assert await ask(stack, 20) == ["work"] * 20
    sandbox.world.clock.advance(60)
    await stack.read("work")
    served = await ask(stack, 30)
    assert served == ["work"] * 20 + ["ci"] * 10
    assert refused(sandbox) == 0
    assert (await states(stack))[0] == ("work", "quota_spent", "5h")
    sandbox.world.clock.advance(3600)
    assert await ask(stack, 3) == ["work"] * 3
    assert refused(sandbox) == 0


async def test_a_reading_that_says_full_keeps_a_plan_from_being_asked(stack: Stack, sandbox: SandboxThread) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"limit": 100, "used": 100, "resets_in_s": 3600}})
    await stack.read("work")
    assert await ask(stack, 3) == ["ci"] * 3
    assert not sandbox.world.requests(method="POST", host="api.kimi.com")
    sandbox.world.clock.advance(3601)
    assert await ask(stack, 1) == ["work"]


@pytest.mark.case("gateway QU-06")
async def test_a_refusal_against_a_reading_stands_and_leaves_the_reading_as_it_was(
    stack: Stack, sandbox: SandboxThread
) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"limit": 100, "used": 40, "resets_in_s": 3600}})
    await stack.read("work")
    sentence = "You've reached your 5-hour usage limit for this billing cycle."
    body = {"error": {"type": "access_terminated_error", "message": sentence}}
    sandbox.world.queue_fault(method="POST", host="api.kimi.com", status=403, count=1, body=body)
    assert await ask(stack, 2) == ["ci", "ci"]

    async def told() -> Any:
        status = await stack.live.status("en")
        return msgspec.to_builtins(next(one for one in status.accounts if one.name == "work"))

    first = await told()
    window = next(one for one in first["windows"] if one["id"] == "5h")
    assert (window["used_ratio"], window["reliable"], window["conflict"]) == (0.4, False, True)
    assert first["effective"]["usable"] is False
    assert first["effective"]["blocked_by"] == "5h"
    assert first["effective"]["until"] == window["resets_at"]
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 41}})
    sandbox.world.clock.advance(120)
    await stack.read("work")
    later = await told()
    assert next(one for one in later["windows"] if one["id"] == "5h")["used_ratio"] == 0.41
    assert later["effective"] == first["effective"]
    assert await ask(stack, 1) == ["ci"]


CYCLE = "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle."


@pytest.mark.case("gateway CL-17")
@pytest.mark.parametrize(
    ("sentence", "window", "reads"),
    [
        ("You've reached your weekly (7-day) usage limit for this billing cycle.", "7d", None),
        ("You've reached your 5-hour usage limit for this billing cycle.", "5h", None),
        ("You've reached your monthly usage limit for this billing cycle.", "month", None),
        (CYCLE, None, 1),
    ],
)
async def test_a_refusal_names_its_window_or_asks_for_one_reading(
    stack: Stack, sandbox: SandboxThread, sentence: str, window: str | None, reads: int | None
) -> None:
    await stack.read("work")
    sandbox.world.clock.advance(120)
    before = len(sandbox.world.requests(path="/coding/v1/usages"))
    body = {"error": {"type": "access_terminated_error", "message": sentence}}
    sandbox.world.queue_fault(method="POST", host="api.kimi.com", status=403, count=1, body=body)
    client = Client(stack.engine.gateway)
    answer = await client.chat()
    assert (answer.status, answer.headers["x-perilune-account"]) == (200, "ci")
    (state,) = [one for one in stack.engine.gateway.core.services.states.all() if one.scope.startswith("group:")]
    assert (state.reason.value, state.window) == ("quota_spent", window)
    if reads is not None:
        async with asyncio.timeout(10):
            while len(sandbox.world.requests(path="/coding/v1/usages")) == before:  # noqa: ASYNC110 no event tells
                await asyncio.sleep(0.02)
        await ask(stack, 2)
        assert len(sandbox.world.requests(path="/coding/v1/usages")) == before + reads
