"""Faults: refusals by name, broken answers, and what happens on the wire."""

import asyncio
import gzip
import http.client
import json
import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from tests.sandbox.plain_client import Answer, Ask

from perilune.sandbox import Fault, SandboxThread, keys
from perilune.sandbox.refusals import REFUSALS

# Together with its neighbours this file shows every behaviour of the played vendors, each with a plain client.
pytestmark = pytest.mark.case("gateway SB-02")

CHAT = "/api.moonshot.ai/v1/chat/completions"
BODY = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": "ping"}]}


def chat(ask: Ask, **body: Any) -> Answer:
    return ask(CHAT, key=keys.MOONSHOT_INTL, body=BODY | body)


def stream(ask: Ask) -> Answer:
    return chat(ask, stream=True, stream_options={"include_usage": True})


def plain_socket(sandbox: SandboxThread) -> socket.socket:
    host, port = sandbox.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def sent_raw(sandbox: SandboxThread, **body: Any) -> bytes:
    """What the sandbox writes until it ends the connection."""
    data = json.dumps(BODY | body).encode()
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys.MOONSHOT_INTL}\r\n"
        f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    )
    with plain_socket(sandbox) as wire:
        wire.sendall(head.encode() + data)
        got = b""
        while chunk := wire.recv(65_536):
            got += chunk
    return got


def test_every_refusal_can_be_queued_by_name(sandbox: SandboxThread, ask: Ask) -> None:
    for name, known in REFUSALS.items():
        sandbox.world.queue_fault(refusal=name)
        answer = chat(ask)
        assert answer.status == known.status
        assert "{" not in answer.error["message"]


def test_a_fault_meets_only_what_it_names_and_as_often_as_it_says(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(status=503, path="/v1/chat/*", host="api.moonshot.ai", count=2, skip=1)
    assert ask("/api.moonshot.ai/v1/models", key=keys.MOONSHOT_INTL).status == 200
    assert [chat(ask).status for _ in range(4)] == [200, 503, 503, 200]
    sandbox.world.queue_fault(status=500, key="moonshot-cn", count=None)
    assert chat(ask).status == 200
    other = ask(CHAT.replace(".ai", ".cn"), key=keys.MOONSHOT_CN, body=BODY)
    assert other.status == 500
    sandbox.world.clear_faults()
    assert sandbox.world.requests()[-1].fault == "fault"


def test_a_raw_answer_can_be_given(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(status=418, body={"error": None}, headers={"X-Thing": "1"})
    answer = chat(ask)
    assert (answer.status, answer.json, answer.headers["x-thing"]) == (418, {"error": None}, "1")
    sandbox.world.queue_fault(body="not json")
    assert chat(ask).raw == b"not json"


@pytest.mark.parametrize(
    ("page", "status", "words"),
    [("html-502", 502, b"<html>"), ("empty-200", 200, b""), ("captive", 200, b"Sign in"), ("redirect", 302, b"")],
)
def test_pages_that_no_vendor_wrote(sandbox: SandboxThread, ask: Ask, page: str, status: int, words: bytes) -> None:
    sandbox.world.queue_fault(page=page)
    answer = chat(ask)
    assert answer.status == status
    assert words in answer.raw
    if page == "redirect":
        assert answer.headers["location"] == "https://elsewhere.example/v1"


@pytest.mark.parametrize(
    ("form", "header", "value"),
    [
        ("seconds", "retry-after", "2"),
        ("decimal", "retry-after", "1.5"),
        ("ms", "retry-after-ms", "1500"),
        ("ratelimit-reset-delta", "x-ratelimit-reset", "1.5"),
        ("garbage", "retry-after", "soon"),
        ("negative", "retry-after", "-3"),
        ("huge", "retry-after", "999999"),
    ],
)
def test_the_wait_is_told_in_every_header(sandbox: SandboxThread, ask: Ask, form: str, header: str, value: str) -> None:
    sandbox.world.queue_fault(refusal="dev-err-429-engine-overloaded", wait_s=1.5, retry_after=form)
    assert chat(ask).headers[header] == value


def test_the_wait_can_be_a_date_of_a_clock_that_is_ahead(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.freeze(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    sandbox.world.behave(date_skew_s=90)
    sandbox.world.queue_fault(refusal="dev-err-429-engine-overloaded", wait_s=30, retry_after="date")
    headers = chat(ask).headers
    assert headers["date"] == "Fri, 20 Nov 2026 12:01:30 GMT"
    assert headers["retry-after"] == "Fri, 20 Nov 2026 12:02:00 GMT"


@pytest.mark.parametrize(("form", "size"), [("ratelimit-reset-epoch", 10), ("ratelimit-reset-ms", 13)])
def test_the_wait_can_be_a_moment(sandbox: SandboxThread, ask: Ask, form: str, size: int) -> None:
    sandbox.world.queue_fault(refusal="dev-err-429-engine-overloaded", retry_after=form)
    assert len(chat(ask).headers["x-ratelimit-reset"]) == size


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("message", "try again after 90 seconds"),
        ("message-for", "retry after 90s"),
        ("message-minutes", "in 1m30s"),
        ("message-ms", "in 90000ms"),
    ],
)
def test_the_wait_can_stand_in_the_message_alone(sandbox: SandboxThread, ask: Ask, form: str, words: str) -> None:
    sandbox.world.queue_fault(refusal="dev-err-429-engine-overloaded", wait_s=90, retry_after=form)
    answer = chat(ask)
    assert words in answer.error["message"]
    assert not {"retry-after", "retry-after-ms", "x-ratelimit-reset"} & set(answer.headers)


def test_answers_carry_a_date_and_what_must_not_go_on(ask: Ask) -> None:
    headers = chat(ask).headers
    assert parsedate_to_datetime(headers["date"]).tzinfo is not None
    assert {"msh-org-id", "msh-request-id", "set-cookie", "server"} <= set(headers)


# streams


def test_an_error_can_be_the_first_event(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(error_first="dev-err-429-rpm")
    answer = stream(ask)
    assert answer.status == 200
    assert [sorted(event) for event in answer.data] == [["error"]]


def test_an_error_can_come_after_content(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(error_after=(2, "dev-err-500-server"))
    events = stream(ask).data
    assert [event["choices"][0]["delta"].get("reasoning_content") for event in events[1:3]] == ["The user ", "pings."]
    assert events[3]["error"]["type"] == "server_error"
    assert len(events) == 4


def test_errors_inside_messages_and_responses_streams_have_their_own_form(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(error_first="code-err-403-weekly", count=2)
    asked = {"model": "k3", "max_tokens": 9, "stream": True, "messages": BODY["messages"]}
    assert ask("/coding/v1/messages", key=keys.KIMI_CN, body=asked).events[0][0] == "error"
    asked = {"model": "kimi-k3", "stream": True, "input": "ping"}
    name, payload = ask("/v1/responses", key=keys.MOONSHOT_INTL, body=asked).events[0]
    assert (name, payload["response"]["status"]) == ("response.failed", "failed")


def test_a_stream_can_end_without_done(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(sends_done=False)
    events = stream(ask).data
    assert events[-1]["usage"]["total_tokens"] > 0
    assert events[-2]["choices"][0]["finish_reason"] == "stop"


def test_a_malformed_line_and_a_comment_can_stand_between_chunks(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(malformed_after=1, comment_after=2)
    raw = stream(ask).raw
    assert b'data: {"broken\n\n' in raw
    assert b": comment\n\n" in raw
    assert raw.endswith(b"data: [DONE]\n\n")


def test_lines_can_end_in_other_ways(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(newline="\r\n")
    assert stream(ask).raw.endswith(b"data: [DONE]\r\n\r\n")
    sandbox.world.queue_fault(newline="\r")
    assert stream(ask).raw.endswith(b"data: [DONE]\r\r")


@pytest.mark.parametrize(
    ("usage", "in_choice", "at_the_end"),
    [("usual", True, True), ("choice-only", True, False), ("last-only", False, True), ("none", False, False)],
)
def test_usage_is_placed_as_wanted(
    sandbox: SandboxThread, ask: Ask, usage: str, in_choice: bool, at_the_end: bool
) -> None:
    sandbox.world.queue_fault(usage=usage)
    events = [event for event in stream(ask).data if event != "[DONE]"]
    assert any("usage" in choice for event in events for choice in event["choices"]) == in_choice
    assert any("usage" in event for event in events) == at_the_end


def test_usage_can_differ_between_its_places(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.behave(usage="different")
    events = stream(ask).data
    assert events[-3]["choices"][0]["usage"]["total_tokens"] != events[-2]["usage"]["total_tokens"]


@pytest.mark.parametrize(
    ("cached", "top", "nested"),
    [("both", 256, 256), ("top", 256, None), ("nested", None, 256), ("different", 256, 128)],
)
def test_cached_tokens_are_told_in_each_form(
    sandbox: SandboxThread, ask: Ask, cached: str, top: int | None, nested: int | None
) -> None:
    sandbox.world.behave(cached=cached)
    sandbox.world.say(lines=[{"prompt_tokens": 412, "cached_tokens": 256}])
    usage = chat(ask).json["usage"]
    assert usage.get("cached_tokens") == top
    assert usage.get("prompt_tokens_details", {}).get("cached_tokens") == nested


def test_an_error_can_hide_inside_a_200(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(inside_200="router-402")
    body = {"model": "moonshotai/kimi-k2.6", "messages": BODY["messages"]}
    answer = ask("/openrouter.ai/api/v1/chat/completions", key=keys.OPENROUTER, body=body)
    assert (answer.status, answer.error["code"]) == (200, 402)
    sandbox.world.queue_fault(error_after=(1, "router-502"))
    answer = ask("/openrouter.ai/api/v1/chat/completions", key=keys.OPENROUTER, body=body | {"stream": True})
    assert (answer.data[-1]["error"]["code"], answer.data[-1]["choices"][0]["finish_reason"]) == (502, "error")


def test_json_and_stream_can_be_swapped(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(as_stream=False)
    assert stream(ask).json["object"] == "chat.completion"
    sandbox.world.queue_fault(as_stream=True)
    assert chat(ask).data[-1] == "[DONE]"


# on the wire


@pytest.mark.parametrize("cut_at", [0, 1, 37, 300])
@pytest.mark.parametrize("is_stream", [False, True])
def test_an_answer_is_cut_at_the_byte(sandbox: SandboxThread, cut_at: int, is_stream: bool) -> None:
    sandbox.world.queue_fault(cut_at=cut_at)
    head, _, body = sent_raw(sandbox, stream=is_stream).partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert len(_unchunked(body) if is_stream else body) == cut_at
    assert sandbox.world.requests()[-1].outcome == "cut"
    assert sandbox.world.in_flight("moonshot-intl") == 0


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole


def test_a_dribbled_answer_is_whole_in_the_end(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(dribble_s=0, dribble_size=1)
    assert stream(ask).data[-1] == "[DONE]"
    sandbox.world.queue_fault(dribble_s=0, dribble_size=3)
    assert chat(ask).json["choices"][0]["message"]["content"] == "PONG from sandbox"


def test_a_stalled_stream_ends_when_the_client_leaves(sandbox: SandboxThread) -> None:
    sandbox.world.queue_fault(stall_after=2)
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    headers = {"Authorization": f"Bearer {keys.MOONSHOT_INTL}"}
    connection.request("POST", CHAT, json.dumps(BODY | {"stream": True}), headers)
    response = connection.getresponse()
    while b"pings." not in response.readline():
        pass
    assert sandbox.world.in_flight("moonshot-intl") == 1
    response.close()
    connection.close()
    sandbox.world.wait_for(lambda world: world.in_flight("moonshot-intl") == 0)
    assert sandbox.world.requests()[-1].outcome == "client-left"


@pytest.mark.parametrize("reset", ["head", "body"])
def test_a_connection_is_reset_without_a_byte(sandbox: SandboxThread, ask: Ask, reset: str) -> None:
    sandbox.world.queue_fault(reset=reset)
    with pytest.raises(ConnectionResetError):
        chat(ask)
    seen = sandbox.world.requests()[-1]
    assert (seen.outcome, seen.status) == ("reset", None)
    assert sandbox.world.traffic("moonshot-intl").requests_of_minute(sandbox.world.now()) == 0
    assert chat(ask).status == 200


def test_a_reset_at_the_head_waits_for_its_turn(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(status=503)
    sandbox.world.queue_fault(reset="head", skip=1)
    assert [chat(ask).status for _ in range(2)] == [503, 200]
    with pytest.raises(ConnectionResetError):
        chat(ask)
    assert len(sandbox.world.requests()) == 3


def test_only_a_reused_connection_is_reset(sandbox: SandboxThread) -> None:
    sandbox.world.queue_fault(reset="reused")
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    headers = {"Authorization": f"Bearer {keys.MOONSHOT_INTL}"}
    connection.request("POST", CHAT, json.dumps(BODY), headers)
    assert connection.getresponse().read()
    connection.request("POST", CHAT, json.dumps(BODY), headers)
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()
    assert [entry.on_connection for entry in sandbox.world.requests()] == [1, 2]


def test_headers_that_a_client_must_not_trust(sandbox: SandboxThread) -> None:
    sandbox.world.queue_fault(both_lengths=True)
    head = sent_raw(sandbox).partition(b"\r\n\r\n")[0]
    assert b"Content-Length" in head
    assert b"Transfer-Encoding" in head
    sandbox.world.queue_fault(huge_header=70_000)
    assert len(sent_raw(sandbox).partition(b"\r\n\r\n")[0]) > 70_000
    sandbox.world.queue_fault(truncate_length=100)
    head, _, body = sent_raw(sandbox).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body) + 100}".encode() in head
    sandbox.world.queue_fault(raw="nonsense\r\n\r\n")
    assert sent_raw(sandbox) == b"nonsense\r\n\r\n"


def test_interim_answers_come_before_the_real_one(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(interim=[103])
    raw = sent_raw(sandbox)
    assert raw.startswith(b"HTTP/1.1 103 Interim\r\n\r\nHTTP/1.1 200 OK")


def test_delays_come_before_the_headers_or_the_first_content(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(Fault(delay_headers_s=0.01, delay_content_s=0.01, gap_s=0.001))
    assert stream(ask).data[-1] == "[DONE]"


def test_a_held_answer_waits_for_its_release(sandbox: SandboxThread) -> None:
    sandbox.world.queue_fault(hold="content")
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    headers = {"Authorization": f"Bearer {keys.MOONSHOT_INTL}"}
    connection.request("POST", CHAT, json.dumps(BODY | {"stream": True}), headers)
    response = connection.getresponse()
    sandbox.world.wait_for(lambda world: world.held == 1)
    assert b'"role":"assistant"' in response.readline()
    sandbox.world.release()
    assert response.read().endswith(b"[DONE]\n\n")
    connection.close()


def test_a_body_can_come_compressed(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(body={"x": "y" * 300_000}, gzip=True)
    answer = chat(ask)
    assert len(answer.raw) < 10_000 < len(gzip.decompress(answer.raw))
    assert answer.headers["content-encoding"] == "gzip"


def test_a_held_answer_is_forgotten_when_its_client_leaves(sandbox: SandboxThread) -> None:
    sandbox.world.queue_fault(hold="headers")
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    connection.request("POST", CHAT, json.dumps(BODY), {"Authorization": f"Bearer {keys.MOONSHOT_INTL}"})
    sandbox.world.wait_for(lambda world: world.held == 1)
    connection.close()
    sandbox.world.wait_for(lambda world: world.held == 0)
    assert sandbox.world.in_flight("moonshot-intl") == 0


async def test_a_client_that_leaves_and_asks_again_is_never_counted_twice(sandbox: SandboxThread) -> None:
    sandbox.world.queue_fault(stall_after=1, count=None)
    host, _, port = sandbox.url.removeprefix("http://").partition(":")
    data = json.dumps(BODY | {"stream": True}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys.MOONSHOT_INTL}\r\n"
    request = head.encode() + b"Content-Length: %d\r\n\r\n" % len(data) + data
    ready = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
    for reader, writer in ready:
        writer.write(request)
        await reader.readuntil(b"The user ")
        writer.transport.abort()
    assert sandbox.world.traffic("moonshot-intl").total == 50
    assert sandbox.world.max_in_flight("moonshot-intl") == 1


def test_a_broken_request_is_answered_with_400(sandbox: SandboxThread) -> None:
    with plain_socket(sandbox) as wire:
        wire.sendall(b"NONSENSE\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 400")


def test_pipelined_requests_are_answered_in_order(sandbox: SandboxThread) -> None:
    head = "GET /{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + keys.MOONSHOT_INTL + "\r\n{}\r\n"
    with plain_socket(sandbox) as wire:
        first = head.format("v1/users/me/balance", "")
        wire.sendall((first + head.format("v1/models", "Connection: close\r\n")).encode())
        got = b""
        while chunk := wire.recv(65_536):
            got += chunk
    assert got.index(b"available_balance") < got.index(b"kimi-k3")
