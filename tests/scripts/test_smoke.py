"""The first start, played by small programs that behave well or badly."""

import sys
from pathlib import Path

import pytest

from scripts import _smoke

GOOD = """
import signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
if sys.argv[1] != "up":
    sys.exit(0)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
server = HTTPServer(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: sys.exit({status}))
print(f"perilune 1.0.0 · http://127.0.0.1:{{server.server_port}}   (this machine only)", file=sys.stderr, flush=True)
server.serve_forever()
"""


def program(folder: Path, source: str) -> str:
    path = folder / "perilune"
    path.write_text(f"#!{sys.executable}\n# -*- coding: utf-8 -*-\n{source}", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_service_that_starts_answers_and_ends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _smoke.main(program(tmp_path, GOOD.format(status=0))) == 0
    assert "GET /healthz 200 2 bytes\nGET / 200 2 bytes\nexit status after SIGTERM: 0" in capfd.readouterr().out


def test_a_service_that_ends_badly_fails(tmp_path: Path) -> None:
    assert _smoke.main(program(tmp_path, GOOD.format(status=3))) == 1


def test_a_service_that_ends_before_it_is_ready_fails(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="before it was ready"):
        _smoke.main(program(tmp_path, "import sys\nsys.exit(sys.argv[1] == 'up')\n"))


def test_a_program_without_a_version_fails(tmp_path: Path) -> None:
    assert _smoke.main(program(tmp_path, "import sys\nsys.exit(2)\n")) == 1
