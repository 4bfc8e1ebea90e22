"""Keys of the gateway, as people make and revoke them while the service runs."""

import asyncio
import json
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import jsonschema
import pytest

from perilune.core.schemas import schema_files

CONFIG = """schema = 1

[gateway]
require_key = true

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
match = ["kimi*"]
slots = [{ account = "work", model = "kimi-for-coding" }]

[[gateway.routes]]
name = "money"
match = ["m"]
slots = [{ account = "ci", model = "kimi-k2.6" }]
"""


def _keys(sandbox: Any) -> dict[str, str]:
    accounts = sandbox.world.accounts
    return {"TEST_WORK_KEY": accounts["kimi-cn"].keys[0], "TEST_CI_KEY": accounts["moonshot-cn"].keys[0]}


def ask(url: str, key: str | None, model: str = "kimi", **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": "ping"}], **more}
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def until(url: str, key: str, status: int) -> dict[str, Any]:
    """The answer once the service gives this status; it looks at its keys twice a second."""
    given_up = time.monotonic() + 10
    while True:
        told, answer = ask(url, key)
        if told == status:
            return answer
        assert time.monotonic() < given_up, (told, answer)


def calls(sandbox: Any) -> int:
    return len(sandbox.world.requests(method="POST"))


def test_a_key_opens_the_gateway_until_it_is_revoked_or_has_ended(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(CONFIG)
    keys = _keys(sandbox)
    service = start(program, **keys)
    assert ask(service.url, None)[0] == 401
    made = program.run("gateway", "keys", "create", "ci")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    until(service.url, key, 200)
    brief = program.run("gateway", "keys", "create", "brief", "--expires", "1s").stdout.strip()
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert program.run("gateway", "keys", "revoke", "ci").returncode == 0
    until(service.url, key, 401)
    until(service.url, brief, 401)
    before = calls(sandbox)
    for refused in (wrong, key, brief):
        status, answer = ask(service.url, refused)
        assert status == 401
        assert answer["error"]["code"] == "PL-GW-KEY"
    assert calls(sandbox) == before
    listed = program.run("gateway", "keys", "list").stdout
    assert "revoked" in listed
    assert "expired" in listed
    assert key not in listed
    assert not any(key.encode() in file.read_bytes() for file in program.home.rglob("*") if file.is_file())


def test_a_key_is_kept_to_its_models_and_routes(program: Any, sandbox: Any, start: Callable[..., Any]) -> None:
    program.configure(CONFIG)
    service = start(program, **_keys(sandbox))
    key = program.run("gateway", "keys", "create", "ci", "--routes", "default", "--models", "kimi*").stdout.strip()
    until(service.url, key, 200)
    status, answer = ask(service.url, key, model="m")
    assert status == 403
    assert answer["error"]["code"] == "PL-GW-MODEL"


@pytest.mark.case("gateway KE-05")
def test_a_key_for_somebody_else_on_a_plan_for_one_person_wants_consent(program: Any) -> None:
    program.configure(CONFIG)
    program.environment |= {"TEST_WORK_KEY": "sk-kimi-EXAMPLE1", "TEST_CI_KEY": "sk-EXAMPLE1"}
    create = ("gateway", "keys", "create")
    refused = program.run(*create, "lin", "--owner", "lin")
    assert refused.returncode == 2
    assert "PL-TEAM-PLAN" in refused.stderr
    assert "keys create lin --routes money" in refused.stderr
    assert refused.stdout == ""
    assert program.run(*create, "lin", "--owner", "lin", "--routes", "money").returncode == 0
    agreed = program.run(*create, "max", "--owner", "max", "--yes")
    assert agreed.returncode == 0
    assert agreed.stdout.startswith("plk_")
    assert "PL-TEAM-PLAN" in agreed.stderr
    taken = program.run(*create, "max")
    assert taken.returncode == 2
    assert "max" in taken.stderr


async def test_a_key_revoked_now_ends_its_running_answer(program: Any, sandbox: Any, start: Callable[..., Any]) -> None:
    program.configure(CONFIG)
    service = await asyncio.to_thread(start, program, **_keys(sandbox))
    made = await asyncio.to_thread(program.run, "gateway", "keys", "create", "ci")
    key = made.stdout.strip()
    await asyncio.to_thread(until, service.url, key, 200)
    sandbox.world.say(text="word " * 400, gap_ms=50)
    host, _, port = service.url.removeprefix("http://").partition(":")
    reader, writer = await _stream(host, port, key)
    answer = b""
    while b"word" not in answer:
        answer += await reader.read(65_536)
    revoked = await asyncio.to_thread(program.run, "gateway", "keys", "revoke", "ci", "--now")
    assert revoked.returncode == 0
    while b"PL-GW-KEY" not in answer:
        piece = await reader.read(65_536)
        assert piece, answer[-300:]
        answer += piece
    writer.close()
    assert answer.count(b"word") < 400


async def _stream(host: str, port: str, key: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    body = {"model": "kimi", "stream": True, "messages": [{"role": "user", "content": "ping"}]}
    text = json.dumps(body)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer {key}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + text.encode())
    await writer.drain()
    return reader, writer


def test_a_budget_is_kept_to_by_a_running_service_changed_live_and_listed(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(CONFIG)
    made = program.run("gateway", "keys", "create", "bot", "--hard", "2 requests", "--soft", "1 requests", "--json")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["key"]
    service = start(program, **_keys(sandbox))
    assert [ask(service.url, key)[0] for _ in range(3)] == [200, 200, 402]
    given_up = time.monotonic() + 15
    while not (told := _told(program, "budget_soft")):
        assert time.monotonic() < given_up
    assert [json.loads(one)["key"] for one in told] == ["bot"]
    listed = json.loads(program.run("gateway", "keys", "list", "--json").stdout)["keys"][0]
    jsonschema.validate(
        {"schema": "perilune.keys.v1", "keys": [listed]}, json.loads(schema_files()["keys"].read_text())
    )
    hard = next(one for one in listed["budgets"] if one["kind"] == "hard")
    assert (hard["used"], hard["left"]) == ({"amount": 2, "unit": "requests"}, {"amount": 0, "unit": "requests"})
    assert program.run("gateway", "keys", "set", "bot", "--hard", "none").returncode == 0
    given_up = time.monotonic() + 15
    while ask(service.url, key)[0] != 200:
        assert time.monotonic() < given_up


def _told(program: Any, kind: str) -> list[str]:
    (store,) = program.home.rglob("*.db")
    with closing(sqlite3.connect(store)) as database:
        return [row[0] for row in database.execute("SELECT document FROM events WHERE kind = ?", (kind,))]
