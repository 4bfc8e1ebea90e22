"""The MCP server as a client meets it: a real process for the protocol, the golden document for the sentences."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.g1 import G1, NOW, WORK

from perilune.compose.workbench import Workbench
from perilune.core.messages import Voice
from perilune.faces.mcp.scan import all_tools
from perilune.faces.mcp.tool import Answer, Asked
from perilune.quota.document import StatusDocument
from perilune.sandbox import SandboxThread

SOURCE = Path(__file__).parents[3] / "src"
KIMI_CN = "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001"

CONFIG = """schema = 1
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:TEST_WORK_KEY"
"""


class Client:
    """A small MCP client over a process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "perilune", "mcp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )
        self.notified: list[dict[str, Any]] = []
        self._number = 0

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next answer; notifications before it are kept."""
        assert self.process.stdout is not None
        while True:
            line = self.process.stdout.readline()
            assert line, "the server has ended"
            message: dict[str, Any] = json.loads(line)
            if "id" in message:
                return message
            self.notified.append(message)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params})
        answer = self.receive()
        assert answer["id"] == self._number
        return answer

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.ask("tools/call", name=tool, arguments=arguments)["result"]
        return result

    def end(self) -> tuple[int, str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        status = self.process.wait(20)
        said = self.process.stderr.read().decode()
        assert self.process.stdout.read() == b""
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return status, said


@pytest.fixture
def client(sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Client]]:
    """Starts clients of a home with one account, `work`."""
    home = Path(os.environ["PERILUNE_HOME"])
    home.mkdir(parents=True)
    (home / "config.toml").write_text(CONFIG)
    monkeypatch.setenv("TEST_WORK_KEY", KIMI_CN)
    with closing(Workbench(dict(os.environ)).monitoring) as monitoring:
        monitoring.read(())
    started: list[Client] = []

    def start() -> Client:
        started.append(Client())
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def test_a_client_shakes_hands_lists_and_calls(client: Callable[[], Client]) -> None:
    one = client()
    welcome = one.ask(
        "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "t", "version": "1"}
    )
    assert welcome["result"]["protocolVersion"] == "2025-06-18"
    assert welcome["result"]["serverInfo"]["name"] == "perilune"
    one.send({"method": "notifications/initialized"})
    assert one.ask("ping")["result"] == {}
    tools = {tool["name"]: tool for tool in one.ask("tools/list")["result"]["tools"]}
    assert set(tools) == {
        "perilune_status",
        "perilune_can_i",
        "perilune_forecast",
        "perilune_wait_until_reset",
        "perilune_route",
        "perilune_explain",
    }
    assert all(tool["annotations"]["readOnlyHint"] is True for tool in tools.values())
    assert tools["perilune_wait_until_reset"]["inputSchema"]["properties"]["max_seconds"]["maximum"] == 21_600
    status = one.call("perilune_status")
    assert status["isError"] is False
    assert status["content"][0]["text"].startswith("work: month 31% used, 69% left, resets ")
    assert status["structuredContent"]["schema"] == "perilune.status.v1"
    route = one.call("perilune_route", model="kimi-for-coding")
    assert route["content"][0]["text"] == "Use kimi-for-coding at http://127.0.0.1:8787; work answers."
    page = one.call("perilune_explain", code="quota-5h")
    assert page["content"][0]["text"].startswith("PL-QUOTA-5H: the 5-hour window of a Kimi Code plan is spent")
    wait = one.call("perilune_wait_until_reset", max_seconds=5)
    assert wait["content"][0]["text"] == "work can be used now."
    forecast = one.call("perilune_forecast", window="7d")
    assert forecast["content"][0]["text"].startswith("work: ")
    assert KIMI_CN not in json.dumps([status, route, page, wait, forecast])
    assert one.end() == (0, "")


def test_what_is_wrong_is_a_result_or_a_protocol_error_as_it_should_be(client: Callable[[], Client]) -> None:
    one = client()
    unknown = one.call("perilune_status", account="wrok")
    assert unknown["isError"] is True
    assert unknown["content"][0]["text"].startswith("error[PL-ACCOUNT-NAME]: ")
    assert unknown["structuredContent"]["error"]["code"] == "PL-ACCOUNT-NAME"
    assert one.call("perilune_can_i", requests="many")["isError"] is True
    assert one.call("perilune_can_i")["content"][0]["text"].startswith("error[PL-USAGE]: ")
    assert one.call("perilune_wait_until_reset", max_seconds=21_601)["isError"] is True
    assert one.ask("tools/call", name="rm", arguments={})["error"]["code"] == -32602
    assert one.ask("resources/list")["error"]["code"] == -32601
    assert one.process.stdin is not None
    one.process.stdin.write(b"{nonsense\n\n[1]\n")
    one.process.stdin.flush()
    assert (one.receive()["error"]["code"], one.receive()["error"]["code"]) == (-32700, -32600)
    assert one.ask("ping")["result"] == {}


def test_waiting_tells_its_progress_and_can_be_cancelled(client: Callable[[], Client], sandbox: SandboxThread) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 200}})
    _make_old()
    one = client()
    beyond = one.call("perilune_wait_until_reset", max_seconds=600)
    assert beyond["content"][0]["text"].startswith("Not back within 600 s; reset ")
    params = {
        "name": "perilune_wait_until_reset",
        "arguments": {"max_seconds": 21_600},
        "_meta": {"progressToken": "p"},
    }
    one.send({"id": 77, "method": "tools/call", "params": params})
    while not one.notified:
        assert one.ask("ping")["result"] == {}  # others are not held up
    told = one.notified[0]
    assert (told["method"], told["params"]["progressToken"]) == ("notifications/progress", "p")
    assert told["params"]["total"] > told["params"]["progress"] >= 0
    one.send({"method": "notifications/cancelled", "params": {"requestId": 77}})
    assert one.ask("ping")["result"] == {}  # and no answer to 77 comes before it
    assert one.end() == (0, "")


@pytest.mark.case("experience C3")
def test_without_a_network_the_store_answers_with_its_age(
    client: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    _make_old(seconds=47 * 60)
    monkeypatch.setenv("PERILUNE_UPSTREAM", "http://127.0.0.1:1")
    one = client()
    status = one.call("perilune_status")
    assert status["isError"] is False
    text = status["content"][0]["text"]
    assert text.startswith("work: month 31% used, 69% left, resets ")
    assert text.endswith(" Read 47m ago.")
    can = one.call("perilune_can_i", requests=1)
    assert can["content"][0]["text"].endswith(" Read 47m ago.")


def _make_old(seconds: int = 60) -> None:
    """The last reading was taken that much earlier."""
    with closing(Workbench(dict(os.environ)).monitoring) as monitoring:
        last = monitoring.snapshots.latest()["work"]
        monitoring.snapshots.amend(replace(last, fetched_at=last.fetched_at - timedelta(seconds=seconds)))
    file = Path(os.environ["PERILUNE_HOME"]) / "perilune.db"
    with closing(sqlite3.connect(file)) as store, store:
        store.execute("UPDATE reads SET tried_at = tried_at - ?", (seconds * 1000,))


class Golden:
    """Services that hold the golden document."""

    def __init__(self, document: StatusDocument = G1) -> None:
        self.document = document

    def now(self) -> datetime:
        return NOW

    def monitoring_now(self) -> "Golden":
        return self

    def needs_reading(self, names: Any, *, is_asked: bool = False) -> bool:
        return False

    def status(self, names: Any, voice: Voice, **_: Any) -> StatusDocument:
        chosen = [account for account in self.document.accounts if not names or account.name in names]
        return replace(self.document, accounts=chosen)

    def histories(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing is open."""


async def _silent(done: float, total: float, told: str) -> None:
    """Nobody listens."""


async def _asked(tool: str, services: Any = None, language: Any = "en", **arguments: Any) -> Answer:
    voice = Voice(now=NOW, language=language, with_currency_codes=True)
    return await all_tools()[tool].answer(Asked(arguments, voice, services or Golden(), _silent))


@pytest.mark.case("experience C1")
async def test_eighty_requests_do_not_fit() -> None:
    answer = await _asked("perilune_can_i", requests=80)
    assert answer.text == "No: 80 requests do not fit; 61 are left until 14:07."
    assert (await _asked("perilune_can_i", requests=40)).text == "Yes: 40 requests fit, 21 would be left."
    chinese = await _asked("perilune_can_i", language="zh-CN", requests=80)
    assert chinese.text == "不够：容不下 80 个请求；14:07 前仅剩 61。"


@pytest.mark.case("experience C2")
async def test_an_account_without_counts_cannot_tell() -> None:
    window = replace(WORK.windows[0], unit="ratio", used=None, limit=None, remaining=None)
    golden = Golden(replace(G1, accounts=[replace(WORK, windows=[window])]))
    answer = await _asked("perilune_can_i", golden, requests=5)
    assert answer.text == "Unknown: work reports no request counts; 31% of the window is left."


async def test_minutes_go_by_pace() -> None:
    assert (await _asked("perilune_can_i", minutes=60, account="work")).text.startswith("Yes: 60 minutes fit; ")
    assert (await _asked("perilune_can_i", minutes=90, account="work")).text.startswith("No: 90 minutes do not fit; ")
    assert (await _asked("perilune_can_i", minutes=90, account="ci")).text.startswith("Unknown: ")
    assert (await _asked("perilune_can_i", tokens=90, account="ci")).text == (
        "Unknown: ci reports no token counts; USD 18.43 is left."
    )


async def test_a_status_is_one_sentence_an_account() -> None:
    answer = await _asked("perilune_status")
    assert answer.text.splitlines() == [
        "work: 5 h 69% used, 61 left, resets 14:07; at this pace empty 13:15.",
        "ci: USD 18.43 available, lasts about 16 days.",
        "lab: CNY 49.59 available.",
    ]
