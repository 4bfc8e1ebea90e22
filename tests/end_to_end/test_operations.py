"""What the operators of a running service rely on: readiness, shared states, a clean drain, a reload that fails."""

import asyncio
import json
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

ACCOUNTS = """schema = 1

[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:TEST_WORK_KEY"
{more}
[[accounts]]
name = "ci"
plan = "moonshot"
region = "cn"
key = "env:TEST_CI_KEY"

[[gateway.routes]]
name = "default"
match = ["*"]
slots = [{slots}]
"""
WORK = '{ account = "work", model = "kimi-for-coding" }'
CI = '{ account = "ci", model = "kimi-k2.6" }'


def config(*slots: str, more: str = "") -> str:
    return ACCOUNTS.format(slots=", ".join(slots), more=more)


def keys_of(sandbox: Any) -> dict[str, str]:
    accounts = sandbox.world.accounts
    return {"TEST_WORK_KEY": accounts["kimi-cn"].keys[0], "TEST_CI_KEY": accounts["moonshot-cn"].keys[0]}


def get(url: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url + path, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def ask(url: str) -> int:
    body = {"model": "kimi", "max_tokens": 64, "messages": [{"role": "user", "content": "ping"}]}
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def soon(holds: Callable[[], Any]) -> Any:
    """What `holds` gives once it gives something; the service looks at its files about every second."""
    given_up = time.monotonic() + 15
    while not (found := holds()):
        assert time.monotonic() < given_up
    return found


def answered(sandbox: Any, status: int) -> int:
    """How many model requests the vendors answered with this status."""
    return sum(request.status == status for request in sandbox.world.requests(method="POST"))


def store_of(program: Any) -> Any:
    (store,) = program.home.rglob("*.db")
    return store


@pytest.mark.case("gateway CD-05")
def test_an_account_that_refused_its_key_is_left_alone_after_a_restart(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(config(WORK, CI))
    keys = keys_of(sandbox) | {"TEST_WORK_KEY": "sk-kimi-EXAMPLE0never0known000000000000000001"}
    sandbox.world.queue_fault(method="GET", status=503, count=1000)  # the free reads find out nothing
    service = start(program, **keys)
    assert ask(service.url) == 200
    assert service.stop() == 0
    assert answered(sandbox, 401) == 1
    again = start(program, **keys)
    assert ask(again.url) == 200
    assert (answered(sandbox, 401), answered(sandbox, 200)) == (1, 2)


def test_what_one_process_found_out_is_known_to_the_other(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(config(WORK, CI))
    keys = keys_of(sandbox) | {"TEST_WORK_KEY": "sk-kimi-EXAMPLE0never0known000000000000000001"}
    sandbox.world.queue_fault(method="GET", status=503, count=1000)  # the free reads find out nothing
    one, other = start(program, **keys), start(program, **keys)
    assert ask(one.url) == 200

    def is_known() -> bool:
        slots = json.loads(get(other.url, "/api/v1/routes")[1])["routes"][0]["slots"]
        return bool(slots[0]["state"] == "auth_failed" and slots[0]["reason"] == "auth_refused")

    assert soon(is_known)
    assert answered(sandbox, 401) == 1
    assert ask(other.url) == 200
    assert (answered(sandbox, 401), answered(sandbox, 200)) == (1, 2)


@pytest.mark.case("gateway OB-02")
def test_a_service_without_a_usable_slot_is_ready_and_says_it_is_degraded(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(config(WORK))
    service = start(program, **keys_of(sandbox))
    status, body = get(service.url, "/readyz")
    assert (status, json.loads(body)["degraded"]) == (200, False)
    assert json.loads(body)["usable_slots"] == ["work/kimi-for-coding"]
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 200}})
    ask(service.url)
    status, body = get(service.url, "/readyz")
    assert (status, json.loads(body)["degraded"], json.loads(body)["usable_slots"]) == (200, True, [])


@pytest.mark.case("gateway OB-03")
def test_a_service_whose_store_cannot_be_read_is_not_ready(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(config(WORK))
    service = start(program, **keys_of(sandbox))
    assert get(service.url, "/readyz")[0] == 200
    with closing(sqlite3.connect(store_of(program))) as database:
        database.execute("ALTER TABLE requests RENAME TO gone")
    status, body = get(service.url, "/readyz")
    assert status == 503, body


async def stream(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").partition(":")
    text = json.dumps({"model": "kimi", "stream": True, "messages": [{"role": "user", "content": "ping"}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\n"
    head += f"content-length: {len(text)}\r\n\r\n"
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + text.encode())
    await writer.drain()
    return reader, writer


async def rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.case("gateway OB-04")
async def test_ten_streams_end_before_the_service_does_and_their_rows_are_kept(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(config(WORK))
    sandbox.world.say(text="word " * 30, gap_ms=60)
    service = await asyncio.to_thread(start, program, **keys_of(sandbox))
    clients = [await stream(service.url) for _ in range(10)]
    begun = [await reader.readuntil(b"word") for reader, _ in clients]
    assert all(b"200 OK" in head for head in begun)
    stopping = asyncio.create_task(asyncio.to_thread(service.stop))
    ends = await asyncio.gather(*(rest(*client) for client in clients))
    assert all(b"[DONE]" in end for end in ends)
    assert await stopping == 0
    with closing(sqlite3.connect(store_of(program))) as database:
        outcomes = [row[0] for row in database.execute("SELECT outcome FROM requests")]
    assert outcomes == ["ok"] * 10


async def test_a_stream_that_outlives_the_drain_ends_with_an_error_event(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(config(WORK).replace("[[gateway", "[gateway]\ndrain_s = 1\n\n[[gateway", 1))
    sandbox.world.say(text="word " * 600, gap_ms=50)
    service = await asyncio.to_thread(start, program, **keys_of(sandbox))
    reader, writer = await stream(service.url)
    await reader.readuntil(b"word")
    stopping = asyncio.create_task(asyncio.to_thread(service.stop))
    end = await rest(reader, writer)
    assert b"PL-GW-SHUTDOWN" in end
    assert await stopping == 0


@pytest.mark.case("gateway OB-05")
def test_a_configuration_that_cannot_be_used_leaves_the_old_one_and_is_said(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    program.configure(config(WORK))
    service = start(program, **keys_of(sandbox))
    assert ask(service.url) == 200
    program.configure(config(WORK).replace("[[gateway.routes]]", '[[gateway.routes]]\nnmae = "x"'))

    def problems() -> Any:
        return json.loads(get(service.url, "/api/v1/routes")[1])["problems"]

    (problem,) = soon(problems)
    assert problem["code"] == "PL-CONFIG-KEY"
    assert ask(service.url) == 200
    address = service.url.removeprefix("http://")
    told = program.run("gateway", "status", PERILUNE_GATEWAY_LISTEN=address, **keys_of(sandbox))
    assert "PL-CONFIG-KEY" in told.stderr
    assert "nmae" in told.stderr
    assert "work" in told.stdout
    assert "PL-CONFIG-KEY" in get(service.url, "/")[1]
    program.configure(config(WORK))
    soon(lambda: not problems())
    assert "PL-CONFIG-KEY" not in get(service.url, "/")[1]


@pytest.mark.case("gateway AD-11")
async def test_one_key_under_two_names_and_in_two_homes_has_one_cap(
    program: Any, sandbox: Any, start: Callable[..., Any], tmp_path: Any
) -> None:
    again = '\n[[accounts]]\nname = "again"\nplan = "kimi-code"\nregion = "cn"\nkey = "env:TEST_WORK_KEY"\n'
    both = config(WORK, '{ account = "again", model = "k3" }', more="max_concurrent_requests = 3\n" + again)
    home = tmp_path / "other"
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    program.environment["XDG_RUNTIME_DIR"] = str(runtime)
    other = replace(program, home=home, environment=program.environment | {"PERILUNE_HOME": str(home)})
    sandbox.world.say(text="word " * 10, gap_ms=20)
    services = []
    for each in (program, other):
        each.configure(both)
        services.append(await asyncio.to_thread(start, each, **keys_of(sandbox)))
    clients = [await stream(services[number % 2].url) for number in range(16)]
    ends = await asyncio.gather(*(rest_of(reader, writer) for reader, writer in clients))
    assert all(b"[DONE]" in end for end in ends)
    assert sandbox.world.max_in_flight("kimi-cn") == 3


async def rest_of(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """A whole streamed answer; the connection stays open behind it."""
    try:
        return await reader.readuntil(b"[DONE]")
    finally:
        writer.close()
        await writer.wait_closed()
