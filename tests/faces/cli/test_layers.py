"""`accounts test` names the layer that failed: which fault of a certificate, the name, the connection, the proxy."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.faces.cli.conftest import Cli

Serve = Callable[..., int]


class Authority:
    """A signer of its own; `file` is what a machine that trusts it has."""

    def __init__(self, folder: Path, name: str = "Example Root") -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        made = self._builder(self._name, self._key, now - timedelta(days=400), now + timedelta(days=400))
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self._root = made.add_extension(basic, critical=True).sign(self._key, hashes.SHA256())
        self.file = folder / "root.pem"
        self.file.write_bytes(self._root.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str, since_days: int = 1, days: int = 1) -> ssl.SSLContext:
        """A server with a certificate for `host`, valid from `since_days` ago for so many days more than that."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        start = now - timedelta(days=since_days)
        made = self._builder(subject, key, start, start + timedelta(days=days))
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        signed = made.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        file = self._folder / f"{host}.{since_days}.pem"
        secret = key.private_bytes(serialization.Encoding.PEM, *form)
        file.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        number = x509.random_serial_number()
        return x509.CertificateBuilder(self._name, subject, key.public_key(), number, start, end)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves TLS on loopback with a context, or answers in plain text with fixed bytes; gives the port."""
    opened: list[socket.socket] = []

    def start(context: ssl.SSLContext | None = None, said: bytes = b"") -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def answer() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(plain, server_side=True) if context else plain as connection:
                        connection.recv(4096)
                        connection.sendall(said)
                except OSError:
                    continue

        threading.Thread(target=answer, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in opened:
        listener.close()


def tell(cli: Cli, monkeypatch: pytest.MonkeyPatch, base_url: str) -> dict[str, Any]:
    monkeypatch.setenv("CI_KEY", "sk-EXAMPLE0key0000000000000000000001")
    file = Path(cli("config", "path").out.strip())
    file.parent.mkdir(parents=True, exist_ok=True)
    account = f'name = "ci"\nplan = "moonshot"\nregion = "intl"\nkey = "env:CI_KEY"\nbase_url = "{base_url}"\n'
    file.write_text(f"schema = 1\n[[accounts]]\n{account}")
    file.chmod(0o600)
    document: dict[str, Any] = json.loads(cli("accounts", "test", "ci", "--json").out)
    assert (document["ok"], document["verified_by"]) == (False, None)
    return document


@pytest.mark.case("gateway PB-10")
def test_each_layer_has_its_own_name(cli: Cli, serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trusted = Authority(tmp_path)
    unknown = Authority(tmp_path / "other", "mitmproxy") if (tmp_path / "other").mkdir() is None else trusted
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.file))
    wrong_name = serve(trusted.context("elsewhere.example"))
    expired = serve(trusted.context("localhost", since_days=30, days=10))
    early = serve(trusted.context("localhost", since_days=-5, days=10))
    stranger = serve(unknown.context("localhost"))
    words = {
        wrong_name: "is for another name (issuer: Example Root)",
        expired: "has expired (issuer: Example Root)",
        early: "is not valid yet (issuer: Example Root)",
        stranger: "is not trusted (issuer: mitmproxy)",
    }
    for port, said in words.items():
        document = tell(cli, monkeypatch, f"https://localhost:{port}/v1")
        assert (document["verdict"], document["code"]) == ("tls", "PL-NET-TLS")
        assert said in document["message"]
    assert "Your network replaces certificates." in cli("accounts", "test", "ci").err
    closed = serve()
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = int(free.getsockname()[1])
    refused = tell(cli, monkeypatch, f"https://localhost:{closed}/v1")
    assert (refused["verdict"], refused["code"]) == ("connect", "PL-NET-REFUSED")
    nowhere = tell(cli, monkeypatch, "https://nowhere.invalid/v1")
    assert (nowhere["verdict"], nowhere["code"]) == ("dns", "PL-NET-DNS")
    proxy = serve(said=b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
    behind = tell(cli, monkeypatch, "https://nowhere.invalid/v1")
    assert (behind["verdict"], behind["code"]) == ("proxy", "PL-NET-PROXY")
