import asyncio
import gzip
import logging
import socket
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime

import httpx2
import pytest
from tests.support.loopback import Asked, LoopbackServer, answer

from perilune import __version__
from perilune.core.errors import PeriluneError
from perilune.core.secret import Secret
from perilune.net import faults
from perilune.net.control import BoundSecret, ControlAnswer, ControlClient

KEY = BoundSecret(Secret("sk-kimi-EXAMPLE0001"), ("api.kimi.com",))
URL = "https://api.kimi.com/coding/v1/usages"


@pytest.fixture
async def control(loopback: LoopbackServer) -> AsyncIterator[ControlClient]:
    async with ControlClient(upstream=loopback.url, retry_pause_s=(0, 0)) as client:
        yield client


async def problem_of(call: Awaitable[ControlAnswer]) -> PeriluneError:
    with pytest.raises(PeriluneError) as caught:
        await call
    return caught.value


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_call_carries_our_name_and_the_key_and_no_identity(
    control: ControlClient, loopback: LoopbackServer
) -> None:
    got = await control.get(URL, secret=KEY)
    asked = loopback.requests[0]
    assert asked.path == "/api.kimi.com/coding/v1/usages"
    assert asked.headers["user-agent"] == f"perilune/{__version__}"
    assert asked.headers["authorization"] == "Bearer sk-kimi-EXAMPLE0001"
    assert asked.headers["accept"] == "application/json"
    assert not [name for name in asked.headers if name.startswith("x-")]
    assert (got.status, got.body, got.tries) == (200, b"{}", 1)


@pytest.mark.case("accounts 1.15")
async def test_a_key_of_another_region_is_not_sent(control: ControlClient, loopback: LoopbackServer) -> None:
    bound = BoundSecret(Secret("sk-EXAMPLE"), ("api.moonshot.ai",))
    error = await problem_of(control.get("https://api.moonshot.cn/v1/users/me/balance", secret=bound))
    assert error.problem.code == "PL-401-HOST"
    assert loopback.requests == []


async def test_a_key_is_not_sent_in_clear_beyond_this_machine(control: ControlClient, loopback: LoopbackServer) -> None:
    bound = BoundSecret(Secret("sk-EXAMPLE"), ("proxy.example.com",))
    error = await problem_of(control.get("http://proxy.example.com/usages", secret=bound))
    assert error.problem.code == "PL-CONFIG-BASEURL"
    assert loopback.requests == []


async def test_a_redirect_within_the_origin_is_followed_once(control: ControlClient, loopback: LoopbackServer) -> None:
    loopback.reply = lambda asked: (
        answer(200, b'{"a":1}') if asked.path.endswith("/new") else answer(302, location="/coding/v1/new")
    )
    got = await control.get(URL, secret=KEY)
    assert (got.status, got.body) == (200, b'{"a":1}')
    assert [asked.path for asked in loopback.requests][-1] == "/api.kimi.com/coding/v1/new"


@pytest.mark.case("accounts 4.21")
@pytest.mark.parametrize(
    "location",
    ["https://evil.example/usages", "http://api.kimi.com/usages", "//evil.example/x", "https://u@api.kimi.com/"],
)
async def test_a_redirect_elsewhere_is_not_followed(
    control: ControlClient, loopback: LoopbackServer, location: str
) -> None:
    loopback.reply = lambda asked: answer(302, location=location)
    error = await problem_of(control.get(URL, secret=KEY))
    assert error.problem.code == "PL-NET-REDIRECT"
    assert len(loopback.requests) == 1


async def test_a_second_redirect_is_not_followed(control: ControlClient, loopback: LoopbackServer) -> None:
    loopback.reply = lambda asked: answer(307, location="/coding/v1/usages")
    assert (await problem_of(control.get(URL, secret=KEY))).problem.code == "PL-NET-REDIRECT"
    assert len(loopback.requests) == 2


@pytest.mark.case("accounts 4.19")
async def test_a_compressed_answer_that_grows_over_the_cap_is_not_read(
    control: ControlClient, loopback: LoopbackServer
) -> None:
    loopback.reply = lambda asked: answer(200, gzip.compress(b"x" * 300 * 1024), content_encoding="gzip")
    error = await problem_of(control.get(URL, secret=KEY))
    assert error.problem.code == "PL-PARSE-SIZE"
    assert error.problem.facts["limit"] == "256 KiB"


@pytest.mark.parametrize("status", [408, 502, 503, 504])
async def test_one_retry_where_it_may_help(control: ControlClient, loopback: LoopbackServer, status: int) -> None:
    statuses = iter([status, 200])
    loopback.reply = lambda asked: answer(next(statuses))
    got = await control.get(URL, secret=KEY)
    assert (got.status, got.tries) == (200, 2)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 500])
async def test_no_retry_where_it_cannot_help(control: ControlClient, loopback: LoopbackServer, status: int) -> None:
    loopback.reply = lambda asked: answer(status)
    assert (await control.get(URL, secret=KEY)).status == status
    assert len(loopback.requests) == 1


async def test_never_more_than_one_retry(control: ControlClient, loopback: LoopbackServer) -> None:
    loopback.reply = lambda asked: answer(503)
    assert (await control.get(URL, secret=KEY)).status == 503
    assert len(loopback.requests) == 2


async def test_a_host_that_takes_no_connection_is_named() -> None:
    port = unused_port()
    async with ControlClient(retry_pause_s=(0, 0)) as control:
        error = await problem_of(control.get(f"http://127.0.0.1:{port}/usages"))
    assert error.problem.code == "PL-NET-REFUSED"
    assert error.problem.facts == {"host": f"127.0.0.1:{port}", "port": str(port)}


async def test_a_silent_host_is_a_timeout(control: ControlClient, loopback: LoopbackServer) -> None:
    silence = asyncio.Event()

    async def never(asked: Asked) -> bytes:
        await silence.wait()
        return answer(200)

    loopback.reply = never
    error = await problem_of(control.get(URL, secret=KEY, timeout_s=0.05, retry=False))
    assert error.problem.code == "PL-NET-TIMEOUT"
    assert error.problem.facts == {"host": "api.kimi.com", "seconds": "0.05"}
    silence.set()


def test_a_name_that_does_not_resolve_is_dns() -> None:
    error = httpx2.ConnectError("no")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    assert faults.named(error, URL, limit_s=5).problem.code == "PL-NET-DNS"


def test_a_proxy_that_refuses_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:secret@proxy:3128")
    problem = faults.named(httpx2.ProxyError("407 Proxy Authentication Required"), URL, limit_s=5).problem
    assert problem.code == "PL-NET-PROXY"
    assert problem.facts == {"host": "api.kimi.com", "proxy": "http://proxy:3128", "status": "407"}


async def test_a_proxy_is_never_used_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, loopback: LoopbackServer
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    async with ControlClient(upstream=loopback.url) as control:
        assert (await control.get(URL, secret=KEY)).status == 200


async def test_the_servers_clock_and_request_id_are_kept(control: ControlClient, loopback: LoopbackServer) -> None:
    loopback.reply = lambda asked: answer(200, b"{}", date="Fri, 20 Nov 2026 12:00:00 GMT", msh_request_id="r-1")
    got = await control.get(URL, secret=KEY)
    assert got.server_date == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert got.request_id == "r-1"


async def test_neither_headers_nor_bodies_nor_queries_are_logged(
    control: ControlClient, loopback: LoopbackServer, caplog: pytest.LogCaptureFixture
) -> None:
    loopback.reply = lambda asked: answer(200, b'{"secret":"body"}', msh_uid="u-1")
    with caplog.at_level(logging.DEBUG, logger="perilune"):
        await control.get(f"{URL}?token=query", secret=KEY)
    logged = caplog.text
    assert "api.kimi.com/coding/v1/usages" in logged
    assert not [word for word in ("query", "body", "EXAMPLE", "u-1") if word in logged]


async def test_a_document_is_sent_as_json(control: ControlClient, loopback: LoopbackServer) -> None:
    await control.post_json(URL, {"scope": ["FEATURE_CODING"]}, secret=KEY)
    asked = loopback.requests[0]
    assert (asked.method, asked.body) == ("POST", b'{"scope":["FEATURE_CODING"]}')
    assert asked.headers["content-type"] == "application/json"
