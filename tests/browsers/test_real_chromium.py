"""A real Chromium: what its own page stores is found while it runs and when it has ended."""

import datetime as dt
import re
import shutil
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.browsers.stores import WANTED, chromium, state_of

from perilune.browsers.chromium import read_profile
from perilune.browsers.chromium_keys import keyring_asker

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
COOKIE, STORED = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJjb29raWUifQ.EXAMPLE", "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJscyJ9.EXAMPLE"
PAGE = f"<script>localStorage.setItem('access_token', '{STORED}'); fetch('/stored')</script>".encode()
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--password-store=basic",
    "--ignore-certificate-errors", "--remote-debugging-port=0",
)  # fmt: skip
PATIENCE_S = 60

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]


class Site:
    """The web site, on loopback, with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.has_stored = threading.Event()
        site = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/stored":
                    site.has_stored.set()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                if self.path == "/":
                    life = "Domain=kimi.com; Path=/; Max-Age=8000000; Secure; HttpOnly"
                    self.send_header("Set-Cookie", f"kimi-auth={COOKIE}; {life}")
                    self.send_header("Set-Cookie", "theme=never-selected; Path=/; Max-Age=8000000")
                self.end_headers()
                self.wfile.write(PAGE if self.path == "/" else b"")

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(folder))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.kimi.com")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now.replace(year=2040)
    )
    signed = made.sign(key, hashes.SHA256())
    file = folder / "site.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


@contextmanager
def browser(profile: Path, port: int, address: str) -> Iterator[None]:
    """A running browser, ended in good order."""
    assert CHROMIUM is not None
    rules = f"--host-resolver-rules=MAP www.kimi.com:443 127.0.0.1:{port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    process = subprocess.Popen(
        [CHROMIUM, *FLAGS, rules, f"--user-data-dir={profile}", address],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    listening = threading.Event()

    def drain() -> None:
        for line in process.stderr or ():
            if re.search("DevTools listening", line):
                listening.set()

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    try:
        assert listening.wait(PATIENCE_S)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        reader.join(PATIENCE_S)
        process.stderr.close()


def found(profile: Path) -> dict[str, str]:
    reading = read_profile(chromium(profile / "Default"), WANTED, keyring_asker({}))
    assert reading.troubles == ()
    assert "never-selected" not in "".join(value.value.reveal() for value in reading.values)
    return {value.kind: value.value.reveal() for value in reading.values}


def wait_for_disk(profile: Path, there: dict[str, str]) -> None:
    """The browser writes a fresh cookie about half a minute late, and tells nobody."""
    until = time.monotonic() + PATIENCE_S
    while found(profile) != there and time.monotonic() < until:
        time.sleep(1)


def test_a_session_is_found_while_the_browser_runs_and_afterwards(tmp_path: Path, site: Site) -> None:
    profile, there = tmp_path / "profile", {"cookie": COOKIE, "local-storage": STORED}
    with browser(profile, site.port, "https://www.kimi.com/"):
        assert site.has_stored.wait(PATIENCE_S)
        wait_for_disk(profile, there)
        assert found(profile) == there
    before = state_of(profile)
    assert found(profile) == there
    assert state_of(profile) == before
    with browser(profile, site.port, "about:blank"):
        assert found(profile) == there
    assert found(profile) == there
