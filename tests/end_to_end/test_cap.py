"""A cap of 30 against 64 clients, and what is left after all of them are killed."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

CONFIG = """schema = 1

[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:TEST_WORK_KEY"
max_concurrent_requests = 30

[[gateway.routes]]
name = "default"
match = ["*"]
slots = [{ account = "work", model = "kimi-for-coding" }]
"""
BODY = json.dumps(
    {"model": "kimi", "max_tokens": 64, "stream": True, "messages": [{"role": "user", "content": "ping"}]}
)


async def _open(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/messages HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-length: {len(BODY)}\r\n"
    head += "content-type: application/json\r\n\r\n"
    writer.write(head.encode() + BODY.encode())
    await writer.drain()
    return reader, writer


async def _whole(url: str) -> bytes:
    reader, writer = await _open(url)
    try:
        answer = b""
        while b"message_stop" not in answer and (piece := await reader.read(65_536)):
            answer += piece
        return answer
    finally:
        writer.close()


async def test_64_clients_never_make_31_at_once_and_nobody_is_refused(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    key = sandbox.world.accounts["kimi-cn"].keys[0]
    program.configure(CONFIG)
    sandbox.world.say(gap_ms=20)
    sandbox.world.queue_fault(method="POST", hold="content", count=30)
    service = await asyncio.to_thread(start, program, TEST_WORK_KEY=key)
    asking = asyncio.gather(*(_whole(service.url) for _ in range(64)))
    await asyncio.to_thread(sandbox.world.wait_for, lambda world: world.held == 30)
    sandbox.world.release()
    answers = await asking
    assert all(answer.startswith(b"HTTP/1.1 200") and b"message_stop" in answer for answer in answers)
    assert sandbox.world.max_in_flight("kimi-cn") == 30


async def test_no_lease_is_left_after_all_clients_are_killed_in_mid_stream(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    key = sandbox.world.accounts["kimi-cn"].keys[0]
    program.configure(CONFIG)
    sandbox.world.queue_fault(method="POST", stall_after=1, count=64)
    service = await asyncio.to_thread(start, program, TEST_WORK_KEY=key)
    clients = await asyncio.gather(*(_open(service.url) for _ in range(64)))
    await asyncio.to_thread(sandbox.world.wait_for, lambda world: world.in_flight("kimi-cn") == 30)
    for _, writer in clients:
        writer.transport.abort()
    await asyncio.to_thread(sandbox.world.wait_for, lambda world: world.in_flight("kimi-cn") == 0)
    sandbox.world.clear_faults()
    answer = await _whole(service.url)
    assert b"message_stop" in answer
    in_flight = await asyncio.to_thread(_in_flight, service.url)
    assert in_flight == 0
    assert sandbox.world.max_in_flight("kimi-cn") == 30


def _in_flight(url: str) -> int:
    from urllib.request import urlopen

    with urlopen(f"{url}/api/v1/routes") as answer:
        routes = json.loads(answer.read())["routes"]
    return sum(int(slot["in_flight"]) for route in routes for slot in route["slots"])
