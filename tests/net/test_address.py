"""A call to an address that was checked: no other look-up, and the certificate is still the name's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.mailbox import server_context

from perilune.core.errors import UnreachableError
from perilune.net.control import ControlClient


@pytest.fixture
async def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server with a certificate for `localhost` that answers with the host it was asked for."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            host = head.partition("host: ")[2].partition("\r\n")[0].encode()
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(host), host))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.pem"))
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_the_name_is_asked_for_at_the_address(port: int) -> None:
    async with ControlClient() as client:
        answer = await client.post_once(f"https://localhost:{port}/x", b"{}", headers={}, address="127.0.0.1")
    assert (answer.status, answer.body) == (200, f"localhost:{port}".encode())


async def test_a_certificate_for_another_name_is_not_taken(port: int) -> None:
    async with ControlClient() as client:
        with pytest.raises(UnreachableError) as met:
            await client.post_once(f"https://hook.example:{port}/x", b"{}", headers={}, address="127.0.0.1")
    assert met.value.problem.code == "PL-NET-TLS"
