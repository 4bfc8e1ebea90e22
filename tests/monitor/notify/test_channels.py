"""Every channel sends exactly what its service takes, and reads a no where there is one."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import socket
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
from msgspec.structs import replace
from tests.monitor.notify.conftest import MESSAGE, NOW, Build, Send
from tests.support.loopback import LoopbackServer, answer

from perilune.core.schemas import schema_files

TEXT = f"Perilune: {MESSAGE.text}"
SECONDS = str(int(NOW.timestamp()))


def says(server: LoopbackServer, status: int, body: object) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    server.reply = lambda asked: answer(status, text)


async def test_ntfy_gets_the_text_with_its_priority(server: LoopbackServer, send: Send) -> None:
    url = f"{server.url}/my-topic"
    message = replace(MESSAGE, text="已用 90%", click="https://console.example/")
    receipt = await send("ntfy", url=url, secrets={"key": "tk_EXAMPLE"}, message=message)
    assert receipt.is_taken
    (asked,) = server.requests
    assert (asked.method, asked.path, asked.body.decode()) == ("POST", "/my-topic", "已用 90%")
    wanted = {
        "title": "Perilune", "priority": "4", "tags": "window_90", "click": "https://console.example/",
        "authorization": "Bearer tk_EXAMPLE",
    }  # fmt: skip
    assert {name: asked.headers[name] for name in wanted} == wanted


@pytest.mark.parametrize(("urgency", "priority"), [("low", "2"), ("normal", "3"), ("high", "4"), ("critical", "5")])
async def test_ntfy_without_a_token(server: LoopbackServer, send: Send, urgency: str, priority: str) -> None:
    await send("ntfy", url=f"{server.url}/t", message=replace(MESSAGE, urgency=urgency))
    (asked,) = server.requests
    assert asked.headers["priority"] == priority
    assert "authorization" not in asked.headers
    assert "click" not in asked.headers


async def test_bark_gets_a_push_of_its_device(server: LoopbackServer, send: Send) -> None:
    says(server, 200, {"code": 200, "message": "success"})
    receipt = await send("bark", url=server.url, secrets={"key": "deviceEXAMPLE"})
    assert receipt.is_taken
    (asked,) = server.requests
    assert asked.path == "/push"
    assert json.loads(asked.body) == {
        "device_key": "deviceEXAMPLE", "title": "Perilune", "body": MESSAGE.text, "group": "Perilune",
        "level": "timeSensitive",
    }  # fmt: skip


async def test_bark_is_told_quietly_what_is_not_urgent(server: LoopbackServer, send: Send) -> None:
    says(server, 200, {"code": 200})
    message = replace(MESSAGE, urgency="low", click="https://console.example/")
    await send("bark", url=server.url, secrets={"key": "d"}, message=message)
    document = json.loads(server.requests[0].body)
    assert (document["level"], document["url"]) == ("active", "https://console.example/")


async def test_feishu_gets_a_signed_text(server: LoopbackServer, send: Send) -> None:
    says(server, 200, {"code": 0, "msg": "success"})
    bot = f"{server.url}/open-apis/bot/v2/hook/EXAMPLE"
    receipt = await send("feishu", secrets={"key": bot, "secret": "signEXAMPLE"})
    assert receipt.is_taken
    (asked,) = server.requests
    digest = hmac.new(f"{SECONDS}\nsignEXAMPLE".encode(), b"", hashlib.sha256).digest()
    assert asked.path == "/open-apis/bot/v2/hook/EXAMPLE"
    assert json.loads(asked.body) == {
        "msg_type": "text", "content": {"text": TEXT}, "timestamp": SECONDS,
        "sign": base64.b64encode(digest).decode(),
    }  # fmt: skip


async def test_feishu_without_a_secret_is_not_signed(server: LoopbackServer, send: Send) -> None:
    says(server, 200, {"StatusCode": 0, "StatusMessage": "success"})
    assert (await send("feishu", secrets={"key": f"{server.url}/hook"})).is_taken
    assert json.loads(server.requests[0].body) == {"msg_type": "text", "content": {"text": TEXT}}


async def test_dingtalk_gets_its_signature_in_the_query(server: LoopbackServer, send: Send) -> None:
    says(server, 200, {"errcode": 0, "errmsg": "ok"})
    robot = f"{server.url}/robot/send?access_token=EXAMPLE"
    receipt = await send("dingtalk", secrets={"key": robot, "secret": "SECexample"})
    assert receipt.is_taken
    (asked,) = server.requests
    query = parse_qs(urlsplit(asked.path).query)
    milliseconds = f"{SECONDS}000"
    digest = hmac.new(b"SECexample", f"{milliseconds}\nSECexample".encode(), hashlib.sha256).digest()
    assert query == {
        "access_token": ["EXAMPLE"], "timestamp": [milliseconds], "sign": [base64.b64encode(digest).decode()]
    }  # fmt: skip
    assert json.loads(asked.body) == {"msgtype": "text", "text": {"content": TEXT}}


async def test_wecom_gets_a_text(server: LoopbackServer, send: Send) -> None:
    says(server, 200, {"errcode": 0, "errmsg": "ok"})
    assert (await send("wecom", secrets={"key": f"{server.url}/cgi-bin/webhook/send?key=EXAMPLE"})).is_taken
    (asked,) = server.requests
    assert asked.path == "/cgi-bin/webhook/send?key=EXAMPLE"
    assert json.loads(asked.body) == {"msgtype": "text", "text": {"content": TEXT}}


async def test_telegram_gets_a_message_of_its_bot(server: LoopbackServer, send: Send) -> None:
    says(server, 200, {"ok": True})
    receipt = await send("telegram", url=server.url, to=("-100200",), secrets={"key": "123:EXAMPLE"})
    assert receipt.is_taken
    (asked,) = server.requests
    assert asked.path == "/bot123:EXAMPLE/sendMessage"
    assert json.loads(asked.body) == {"chat_id": "-100200", "text": TEXT, "disable_web_page_preview": True}


async def test_slack_gets_a_text(server: LoopbackServer, send: Send) -> None:
    says(server, 200, b"ok")
    assert (await send("slack", secrets={"key": f"{server.url}/services/T0/B0/EXAMPLE"})).is_taken
    assert json.loads(server.requests[0].body) == {"text": TEXT}


async def test_a_webhook_gets_a_signed_event(server: LoopbackServer, send: Send) -> None:
    says(server, 202, b"")
    receipt = await send("webhook", url=f"{server.url}/events", secrets={"secret": "whsecEXAMPLE"})
    assert receipt.is_taken
    (asked,) = server.requests
    timestamp = asked.headers["x-perilune-timestamp"]
    digest = hmac.new(b"whsecEXAMPLE", timestamp.encode() + b"." + asked.body, hashlib.sha256).hexdigest()
    assert (timestamp, asked.headers["x-perilune-signature"]) == (SECONDS, f"sha256={digest}")
    document = json.loads(asked.body)
    jsonschema.validate(document, json.loads(schema_files()["event.v1"].read_text()))
    assert (document["event"], document["account"], document["window"]) == ("window_90", "work", "5h")
    assert (document["id"], document["text"], document["test"]) == (MESSAGE.id, MESSAGE.text, False)


@pytest.mark.parametrize(
    ("channel", "status", "body", "words"),
    [
        ("feishu", 200, {"code": 19021, "msg": "sign match fail"}, "code 19021, sign match fail"),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}, "code 310000, sign not match"),
        ("wecom", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, "code 45009, api freq out of limit"),
        ("wecom", 500, b"oops", "500 oops"),
        ("bark", 200, {"code": 400, "message": "no such device"}, "code 400, no such device"),
        ("telegram", 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, "code 401, Unauthorized"),
        ("slack", 200, b"no_service", "200 no_service"),
        ("slack", 404, b"no_team", "404 no_team"),
        ("ntfy", 404, b"page not found", "404 page not found"),
        ("webhook", 500, b"", "500"),
        ("feishu", 200, b"[1]", "200 [1]"),
    ],
)
async def test_a_no_is_read_where_it_is_said(
    server: LoopbackServer, send: Send, channel: str, status: int, body: object, words: str
) -> None:
    says(server, status, body)
    is_plain = channel in ("ntfy", "webhook", "bark", "telegram")
    fields: dict[str, object] = {"url": server.url} if is_plain else {}
    secrets = {"key": "EXAMPLE" if is_plain else server.url}
    receipt = await send(channel, secrets=secrets, to=("1",), **fields)
    assert (receipt.is_taken, receipt.words) == (False, words)


async def test_a_secret_that_comes_back_is_not_quoted(
    server: LoopbackServer, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    says(server, 404, b"no route for bot77:EXAMPLETOKEN")
    receipt = await send("telegram", url=server.url, to=("1",), secrets={"key": "77:EXAMPLETOKEN"})
    assert "EXAMPLETOKEN" not in receipt.words
    assert "EXAMPLETOKEN" not in caplog.text


async def test_an_address_that_leads_inside_is_not_called_unless_it_is_listed(
    server: LoopbackServer, send: Send
) -> None:
    receipt = await send("webhook", url=server.url, allowed="")
    assert not receipt.is_taken
    assert f"gateway.allow_private 127.0.0.1:{server.port}" in receipt.words
    named = server.url.replace("127.0.0.1", "localhost").replace("http:", "https:")
    assert not (await send("webhook", url=named, allowed="")).is_taken
    assert server.requests == []


async def test_a_name_is_looked_up_once_and_its_checked_address_is_called(
    server: LoopbackServer, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def looked_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        inside = "127.0.0.1" if len(asked) == 1 else "127.0.0.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (inside, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", looked_up, raising=False)
    url = f"http://hook.example:{server.port}/events"
    assert (await send("webhook", url=url, allowed="hook.example")).is_taken
    assert asked == ["hook.example"]
    assert server.requests[0].headers["host"] == f"hook.example:{server.port}"


async def test_nobody_at_the_address_is_a_failure_with_its_code(send: Send) -> None:
    receipt = await send("ntfy", url="http://127.0.0.1:1/topic")
    assert (receipt.is_taken, receipt.words) == (False, "PL-NET-REFUSED")


async def test_a_secret_that_cannot_be_read_is_a_failure_with_its_code(build: Build) -> None:
    from perilune.core.errors import CredentialError

    outlet = build("slack", secrets={"key": "https://example.invalid/"})

    def unreadable(reference: str, owner: str) -> object:
        raise CredentialError.of("PL-SECRET-READ", variant="vault", account=owner, name="notify:team")

    configured = outlet.channel
    configured._around = replace(configured._around, read=unreadable)  # type: ignore[attr-defined]
    receipt = await configured.send(MESSAGE)
    assert (receipt.is_taken, receipt.words) == (False, "PL-SECRET-READ")
