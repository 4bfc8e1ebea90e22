"""The thin client against servers that cut, dribble, lie and hang."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest

from perilune.net.guard import Allowed
from perilune.net.upstream import Exchange, Layer, Outgoing, Target, ThinClient, UpstreamError
from perilune.net.upstream.connection import HIGHEST_BUFFER

from .conftest import Rig, read_request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.fixture
async def client() -> AsyncIterator[ThinClient]:
    client = ThinClient()
    yield client
    await client.close()


async def send(client: ThinClient, request: Outgoing, first_s: float = 5) -> Exchange:
    return await client.send(request, connect_timeout_s=5, first_timeout_s=first_s)


async def whole(exchange: Exchange) -> bytes:
    parts = []
    while chunk := await exchange.read():
        parts.append(chunk)
    return b"".join(parts)


def answering(*answers: bytes):
    async def behave(reader, writer):
        for answer in answers:
            await read_request(reader)
            writer.write(answer)
        await reader.read()

    return behave


async def test_a_connection_is_used_again(client, rig: Rig) -> None:
    request = await rig.serve(answering(OK, OK, OK))
    for _ in range(3):
        assert await whole(await send(client, request)) == b"hello"
    assert rig.connections == 1


async def test_the_request_carries_host_and_length(client, rig: Rig) -> None:
    seen = []

    async def behave(reader, writer):
        seen.append(await read_request(reader))
        writer.write(OK)
        await reader.read()

    request = await rig.serve(behave)
    await whole(await send(client, request))
    assert b"POST /v1/chat/completions HTTP/1.1\r\n" in seen[0]
    assert f"host: 127.0.0.1:{request.target.port}\r\n".encode() in seen[0]
    assert b"content-length: 13\r\n" in seen[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nx-trailer: t\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
    ],
    ids=["1xx is skipped", "chunk extensions and trailers", "no length, ended by closing"],
)
async def test_unusual_but_right_answers_are_read(client, rig: Rig, answer: bytes) -> None:
    async def behave(reader, writer):
        await read_request(reader)
        for start in range(len(answer)):
            writer.write(answer[start : start + 1])
            await writer.drain()
        if b"close" not in answer:
            await reader.read()

    exchange = await send(client, await rig.serve(behave))
    assert exchange.status == 200
    assert await whole(exchange) == b"hello"


async def test_connection_close_is_obeyed(client, rig: Rig) -> None:
    request = await rig.serve(answering(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"))
    for _ in range(2):
        assert await whole(await send(client, request)) == b"ok"
    assert rig.connections == 2


@pytest.mark.case("gateway SE-07")
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ],
    ids=["both lengths", "both lengths, other order", "length twice", "head above 64 KiB", "not http", "101"],
)
async def test_answers_that_can_be_misread_are_refused(client, rig: Rig, answer: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        await whole(await send(client, await rig.serve(answering(answer))))
    assert caught.value.layer is Layer.GARBLED


async def test_a_second_answer_nobody_asked_for_is_thrown_away(client, rig: Rig) -> None:
    request = await rig.serve(answering(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", OK))
    assert await whole(await send(client, request)) == b"hello"
    assert await whole(await send(client, request)) == b"hello"
    assert rig.connections == 2


async def test_an_answer_before_the_body_is_sent_is_taken(client, rig: Rig) -> None:
    async def behave(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await writer.drain()
        await asyncio.Event().wait()

    request = await rig.serve(behave)
    large = Outgoing(request.method, request.target, request.headers, b"x" * 8_000_000)
    exchange = await send(client, large)
    assert exchange.status == 413
    assert await whole(exchange) == b"big"
    assert not client._idle.get(large.target.key)


async def test_a_reused_connection_that_ends_silently_is_repeated_once(client, rig: Rig) -> None:
    async def behave(reader, writer):
        await read_request(reader)
        writer.write(OK)
        await writer.drain()
        if rig.connections == 1:
            await read_request(reader)
            writer.transport.abort()
        else:
            await reader.read()

    request = await rig.serve(behave)
    assert await whole(await send(client, request)) == b"hello"
    assert await whole(await send(client, request)) == b"hello"
    assert rig.connections == 2


async def test_a_fresh_connection_is_not_repeated(client, rig: Rig) -> None:
    async def behave(reader, writer):
        await read_request(reader)
        writer.transport.abort()

    with pytest.raises(UpstreamError) as caught:
        await send(client, await rig.serve(behave))
    assert caught.value.layer is Layer.RESET
    assert not caught.value.any_byte
    assert rig.connections == 1


async def test_a_cut_body_is_a_reset_with_bytes(client, rig: Rig) -> None:
    async def behave(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello")

    exchange = await send(client, await rig.serve(behave))
    assert await exchange.read() == b"hello"
    with pytest.raises(UpstreamError) as caught:
        await exchange.read()
    assert caught.value.layer is Layer.RESET
    assert caught.value.any_byte


async def test_silence_names_the_clock_that_ran_out(client, rig: Rig) -> None:
    async def behave(reader, writer):
        await read_request(reader)
        await reader.read()

    request = await rig.serve(behave)
    with pytest.raises(UpstreamError) as caught:
        await send(client, request, first_s=0.05)
    assert (caught.value.layer, caught.value.clock) == (Layer.TIMEOUT, "first")


async def test_silence_in_the_body_names_the_idle_clock(client, rig: Rig) -> None:
    async def behave(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello")
        await reader.read()

    exchange = await send(client, await rig.serve(behave))
    exchange.expect_within(0.05, "idle")
    await exchange.read()
    with pytest.raises(UpstreamError) as caught:
        await exchange.read()
    assert caught.value.clock == "idle"


async def test_cancelling_closes_the_connection(client, rig: Rig) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def behave(reader, writer):
        await read_request(reader)
        asked.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        gone.set()

    task = asyncio.ensure_future(send(client, await rig.serve(behave)))
    await asked.wait()
    task.cancel()
    async with asyncio.timeout(2):
        await gone.wait()
    assert not client._idle


async def test_a_slow_reader_pauses_the_upstream(client, rig: Rig) -> None:
    """At most 256 KiB and one read of the socket are held, however much is on offer."""
    finished = asyncio.Event()

    async def behave(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 33554432\r\n\r\n")
        for _ in range(512):
            writer.write(b"x" * 65_536)
            await writer.drain()
        finished.set()
        await reader.read()

    exchange = await send(client, await rig.serve(behave))
    connection = exchange._connection
    while not connection._is_paused:  # noqa: ASYNC110 - the pause is not announced
        await asyncio.sleep(0)
    assert connection._buffered <= HIGHEST_BUFFER + 256 * 1024
    assert not finished.is_set()
    assert len(await whole(exchange)) == 33_554_432


async def test_nobody_listening_is_a_tcp_failure(client, rig: Rig) -> None:
    request = await rig.serve(answering(OK))
    rig.servers[0].close()
    await rig.servers[0].wait_closed()
    with pytest.raises(UpstreamError) as caught:
        await send(client, request)
    assert caught.value.layer is Layer.TCP


async def test_an_unknown_name_is_a_dns_failure(client, monkeypatch) -> None:
    async def nothing(*_args, **_kwargs):
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)
    with pytest.raises(UpstreamError) as caught:
        await send(client, Outgoing("POST", Target.of("https://nowhere.invalid/v1"), ()))
    assert caught.value.layer is Layer.DNS


async def test_the_next_address_is_tried_when_the_first_does_not_answer(client, rig: Rig, monkeypatch) -> None:
    request = await rig.serve(answering(OK))
    port = request.target.port

    async def two(*_args, **_kwargs):
        return [(10, 1, 6, "", ("::1", port, 0, 0)), (2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
    named = Outgoing("POST", Target.of(f"http://two.example:{port}/v1"), (), b"{}")
    assert await whole(await send(client, named)) == b"hello"


@pytest.mark.case("gateway GU-05")
async def test_a_name_that_turns_private_at_connect_is_refused(rig: Rig, monkeypatch) -> None:
    """The check and the connection use one look-up, so changing the name in between gains nothing."""
    request = await rig.serve(answering(OK))
    port, answers = request.target.port, [["93.184.216.34"], ["127.0.0.1"]]
    monkeypatch.setattr("perilune.net.upstream.dial._first_to_answer", _never_connects)

    async def changing(*_args, **_kwargs):
        return [(2, 1, 6, "", (address, port)) for address in answers.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", changing)
    client = ThinClient(allowed=Allowed())
    target = Target.of(f"https://changing.example:{port}/v1", is_guarded=True)
    layers = []
    for _ in range(2):
        with pytest.raises(UpstreamError) as caught:
            await send(client, Outgoing("POST", target, (), b"{}"))
        layers.append((caught.value.layer, caught.value.detail))
    assert layers[0] == (Layer.TCP, "93.184.216.34")
    assert layers[1][0] is Layer.GUARD
    assert rig.connections == 0


async def _never_connects(addresses):
    raise OSError(111, addresses[0][1][0])


async def test_plain_text_where_tls_is_expected_is_a_tls_failure(client, rig: Rig) -> None:
    async def behave(reader, writer):
        await reader.read(16)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    plain = await rig.serve(behave)
    secure = Outgoing("POST", Target.of(f"https://127.0.0.1:{plain.target.port}/v1"), (), b"{}")
    with pytest.raises(UpstreamError) as caught:
        await send(client, secure)
    assert caught.value.layer is Layer.TLS


def test_a_header_cannot_smuggle_a_line(rig) -> None:
    from perilune.net.upstream.client import _head_bytes

    with pytest.raises(ValueError, match="line break"):
        _head_bytes(Outgoing("POST", Target.of("https://h.example/v1"), (("x", "a\r\nb: c"),), b""))


async def test_certificates_are_verified(client, rig: Rig, tmp_path) -> None:
    context = self_signed(tmp_path)

    async def handle(_reader, writer):
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(UpstreamError) as caught:
        await send(client, Outgoing("POST", Target.of(f"https://127.0.0.1:{port}/v1"), (), b"{}"))
    server.close()
    assert caught.value.layer is Layer.TLS
    assert "self-signed" in caught.value.detail


async def test_tls_with_a_known_authority_works(rig: Rig, tmp_path) -> None:
    context = self_signed(tmp_path)

    async def handle(reader, writer):
        await read_request(reader)
        writer.write(OK)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    client = ThinClient(tls=trusting)
    exchange = await send(client, Outgoing("POST", Target.of(f"https://127.0.0.1:{port}/v1"), (), b"{}"))
    assert await whole(exchange) == b"hello"
    await client.close()
    server.close()


def self_signed(folder) -> ssl.SSLContext:
    """A server context with a certificate of its own making for 127.0.0.1."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
