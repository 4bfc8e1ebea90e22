"""Real browsers, a web site of their own on loopback, and a desktop's keyring, for showing how sessions are found."""

import datetime as dt
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
KEYRING = tuple(shutil.which(name) for name in ("gnome-keyring-daemon", "dbus-daemon", "secret-tool", "gdbus"))
HOST, ADDRESS = "www.kimi.com", "https://www.kimi.com/"
COOKIE = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJjb29raWUifQ.EXAMPLE"
STORED = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJscyJ9.EXAMPLE"
CONTAINED = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJjb250YWluZXIifQ.EXAMPLE"
NEVER = "never-selected"
PATIENCE_S = 90.0
_LIFE = "Path=/; Max-Age=8000000; Secure; HttpOnly"
_SPIN = f"for (let i = 0; i < 600; i++) document.cookie = 'spin={NEVER}' + i + '; max-age=8000000';"  # ends the delay
_PAGE = f"<script>{_SPIN} localStorage.setItem('access_token', '{STORED}'); fetch('/stored')</script>".encode()


class Site:
    """The web site as a proxy that answers for its host and for no other, with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.has_stored = threading.Event()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Page(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                if self.path != f"{HOST}:443":
                    self.send_error(502)
                    return
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                with suppress(OSError):
                    tunnel = site._context.wrap_socket(self.connection, server_side=True)
                    self.connection, self.rfile, self.wfile = tunnel, tunnel.makefile("rb"), tunnel.makefile("wb")
                    self.handle_one_request()
                    self.wfile.flush()
                    tunnel.close()
                self.close_connection = True

            def do_GET(self) -> None:
                if self.path == "/stored":
                    site.has_stored.set()
                is_page = self.path == "/"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Connection", "close")
                if is_page:
                    self.send_header("Set-Cookie", f"kimi-auth={COOKIE}; Domain=kimi.com; {_LIFE}")
                    self.send_header("Set-Cookie", f"theme={NEVER}; {_LIFE}")
                self.send_header("Content-Length", str(len(_PAGE) if is_page else 0))
                self.end_headers()
                self.wfile.write(_PAGE if is_page else b"")
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                return

        return Page


def certificate(folder: Path) -> Path:
    """A certificate for the site with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    number = x509.random_serial_number()
    made = x509.CertificateBuilder(name, name, key.public_key(), number, now, now.replace(year=2040))
    signed = made.sign(key, hashes.SHA256())
    file = folder / "site.pem"
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, *private)
    file.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def chromium(profile: Path, port: int, address: str, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """A running Chromium, ended in good order. With an environment of a keyring it keeps its secret there."""
    store = "basic" if environment is None else "gnome-libsecret"
    argv = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--password-store={store}", "--ignore-certificate-errors", "--remote-debugging-port=0",
        f"--proxy-server=http://127.0.0.1:{port}", f"--user-data-dir={profile}", address,
    ]  # fmt: skip
    process = subprocess.Popen(
        argv, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    listening = threading.Event()

    def drain() -> None:
        for line in process.stderr or ():
            if re.search("DevTools listening", line):
                listening.set()

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    try:
        if not listening.wait(PATIENCE_S):
            raise RuntimeError("Chromium did not start")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        reader.join(PATIENCE_S)
        if process.stderr is not None:
            process.stderr.close()


class Driven:
    """A running Firefox, driven by its own remote protocol.

    Source: Marionette, `LENGTH:[0, ID, COMMAND, ARGUMENTS]`.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._said = self._socket.makefile("rb")
        self._answer()
        self._number = 0
        self.ask("WebDriver:NewSession", {"acceptInsecureCerts": True})

    def ask(self, command: str, arguments: Mapping[str, object]) -> Any:
        """One command's result. Raises: RuntimeError with the browser's words."""
        self._number += 1
        body = json.dumps([0, self._number, command, arguments])
        self._socket.sendall(f"{len(body)}:{body}".encode())
        _, _, error, result = self._answer()
        if error is not None:
            raise RuntimeError(f"{command}: {error.get('message')}")
        return result

    def close(self) -> None:
        self._said.close()
        self._socket.close()

    def _answer(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._said.read(1)
        return json.loads(self._said.read(int(length[:-1])))


@contextmanager
def firefox(profile: Path, port: int) -> Iterator[Driven]:
    """A running Firefox, ended in good order."""
    profile.mkdir(exist_ok=True)
    settings = {
        "network.proxy.type": 1, "network.proxy.http": '"127.0.0.1"', "network.proxy.http_port": port,
        "network.proxy.ssl": '"127.0.0.1"', "network.proxy.ssl_port": port, "marionette.port": 0,
        "app.update.enabled": "false", "datareporting.policy.dataSubmissionEnabled": "false",
        "network.captive-portal-service.enabled": "false", "network.connectivity-service.enabled": "false",
        "browser.safebrowsing.update.enabled": "false", "privacy.userContext.enabled": "true",
    }  # fmt: skip
    (profile / "user.js").write_text("".join(f'user_pref("{name}", {value});\n' for name, value in settings.items()))
    active = profile / "MarionetteActivePort"
    active.unlink(missing_ok=True)
    argv = [str(FIREFOX), "--headless", "--no-remote", "--marionette", "--remote-allow-system-access",
            "--profile", str(profile), "about:blank"]  # fmt: skip
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    driven: Driven | None = None
    try:
        wait_until(active.is_file)
        driven = Driven(int(active.read_text()))
        yield driven
    finally:
        if driven is not None:
            driven.close()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def wait_until(holds: Callable[[], bool], limit_s: float = PATIENCE_S) -> bool:
    """Whether something holds before the limit; a browser tells nobody when its files are written."""
    until = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


class Keyring:
    """A desktop's keyring on a bus of its own. `environment` is what programs of that desktop see."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def lock(self) -> None:
        """Lock it as a desktop does. Raises: CalledProcessError."""
        login = "['/org/freedesktop/secrets/collection/login']"
        argv = ["gdbus", "call", "--session", "--dest", "org.freedesktop.secrets", "--object-path",
                "/org/freedesktop/secrets", "--method", "org.freedesktop.Secret.Service.Lock", login]  # fmt: skip
        subprocess.run(argv, env=self.environment, check=True, capture_output=True, timeout=PATIENCE_S)


@contextmanager
def keyring(folder: Path) -> Iterator[Keyring]:
    """An unlocked keyring with nothing in it."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_AT_BRIDGE": "1"}
    for name in ("RUNTIME_DIR", "DATA_HOME", "CONFIG_HOME", "CACHE_HOME"):
        place = folder / name.lower()
        place.mkdir(mode=0o700, parents=True)
        environment[f"XDG_{name}"] = str(place)
    quiet: dict[str, Any] = {"env": environment, "stderr": subprocess.DEVNULL}
    argv = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    bus = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **quiet)
    daemon: subprocess.Popen[bytes] | None = None
    try:
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip() if bus.stdout else ""
        argv = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
        daemon = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **quiet)
        if daemon.stdin is not None:
            daemon.stdin.write(b"EXAMPLE-password")
            daemon.stdin.close()
        wait_until(lambda: _is_there(environment), 20)
        yield Keyring(environment)
    finally:
        for process in (daemon, bus):
            if process is not None:
                process.terminate()
                process.wait(PATIENCE_S)
                if process.stdout is not None:
                    process.stdout.close()


def _is_there(environment: Mapping[str, str]) -> bool:
    argv = ["gdbus", "call", "--session", "--dest", "org.freedesktop.secrets", "--object-path",
            "/org/freedesktop/secrets/collection/login", "--method", "org.freedesktop.DBus.Peer.Ping"]  # fmt: skip
    return subprocess.run(argv, env=dict(environment), capture_output=True, check=False).returncode == 0
