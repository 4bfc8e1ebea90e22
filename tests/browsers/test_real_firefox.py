"""A real Firefox: a cookie that its own page stores is found while it runs, in its log, and when it has ended."""

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.browsers.stores import WANTED, firefox, state_of

from perilune.browsers.firefox import read_profile

FIREFOX = shutil.which("firefox") or shutil.which("firefox-esr")
COOKIE = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJjb29raWUifQ.EXAMPLE"
PATIENCE_S = 60

pytestmark = [pytest.mark.browser, pytest.mark.skipif(FIREFOX is None, reason="no Firefox here")]


@pytest.fixture
def site() -> Iterator[tuple[int, threading.Event]]:
    """The web site as a proxy on loopback that answers for every host."""
    was_asked = threading.Event()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_page = "www.kimi.com" in self.path and self.path.endswith("/page")
            self.send_response(200 if is_page else 404)
            if is_page:
                self.send_header(
                    "Set-Cookie", f"kimi-auth={COOKIE}; Domain=kimi.com; Path=/; Max-Age=8000000; HttpOnly"
                )
                self.send_header("Set-Cookie", "theme=never-selected; Path=/; Max-Age=8000000")
            self.send_header("Content-Length", "0")
            self.end_headers()
            if is_page:
                was_asked.set()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], was_asked
    server.shutdown()
    server.server_close()


@contextmanager
def browser(profile: Path, port: int, address: str) -> Iterator[None]:
    assert FIREFOX is not None
    profile.mkdir(exist_ok=True)
    settings = {
        "network.proxy.type": 1, "network.proxy.http": '"127.0.0.1"', "network.proxy.http_port": port,
        "dom.security.https_first": "false", "dom.security.https_only_mode": "false", "app.update.enabled": "false",
        "datareporting.policy.dataSubmissionEnabled": "false", "network.captive-portal-service.enabled": "false",
        "network.connectivity-service.enabled": "false", "browser.safebrowsing.update.enabled": "false",
    }  # fmt: skip
    (profile / "user.js").write_text("".join(f'user_pref("{name}", {value});\n' for name, value in settings.items()))
    process = subprocess.Popen(
        [FIREFOX, "--headless", "--no-remote", "--profile", str(profile), address],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def found(profile: Path) -> list[str]:
    reading = read_profile(firefox(profile), WANTED)
    return [value.value.reveal() for value in reading.values]


def test_a_cookie_is_found_while_the_browser_runs_and_afterwards(
    tmp_path: Path, site: tuple[int, threading.Event]
) -> None:
    profile, (port, was_asked) = tmp_path / "profile", site
    with browser(profile, port, "http://www.kimi.com/page"):
        assert was_asked.wait(PATIENCE_S)
        until = time.monotonic() + PATIENCE_S
        while found(profile) != [COOKIE] and time.monotonic() < until:
            time.sleep(0.5)  # the browser tells nobody when a cookie has reached its store
        assert found(profile) == [COOKIE]
    before = state_of(profile)
    assert found(profile) == [COOKIE]
    assert state_of(profile) == before
