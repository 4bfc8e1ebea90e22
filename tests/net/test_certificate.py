"""A certificate that nobody trusts is refused, and its signer named."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.core.secret import Secret
from perilune.net.control import BoundSecret, ControlClient


def signed_by(issuer: str, folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
async def inspecting_proxy(tmp_path: Path) -> AsyncIterator[tuple[int, list[bytes]]]:
    received: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=signed_by("Corp Proxy CA", tmp_path))
    yield server.sockets[0].getsockname()[1], received
    server.close()
    await server.wait_closed()


@pytest.mark.case("experience E23")
async def test_the_signer_of_an_untrusted_certificate_is_named(inspecting_proxy: tuple[int, list[bytes]]) -> None:
    port, received = inspecting_proxy
    bound = BoundSecret(Secret("sk-EXAMPLE00000001"), (f"127.0.0.1:{port}",))
    async with ControlClient(retry_pause_s=(0, 0)) as control:
        with pytest.raises(PeriluneError) as caught:
            await control.get(f"https://127.0.0.1:{port}/usages", secret=bound)
    problem = caught.value.problem
    assert (problem.code, problem.facts["issuer"]) == ("PL-NET-TLS", "Corp Proxy CA")
    assert Voice().explain(problem).what == (
        f"The certificate shown for 127.0.0.1:{port} is not trusted (issuer: Corp Proxy CA)."
    )
    assert b"".join(received) == b""
