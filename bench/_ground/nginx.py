"""nginx as the vendor that is never the bottleneck, and as the proxy that shows what is possible."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench._ground.processes import free_port, running

_HEAD = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; client_max_body_size 64m;
  client_body_buffer_size 256k;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; tcp_nodelay on;
"""
_VENDOR = """server {{ listen 127.0.0.1:{port} backlog=4096; default_type application/json;
  location / {{ return 200 '{answer}'; }} }} }}"""
_PROXY = """upstream vendor {{ server 127.0.0.1:{target}; keepalive 512; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_pass {scheme}://vendor; proxy_http_version 1.1;
  proxy_set_header Connection ""; }} }} }}"""


def version() -> str | None:
    """nginx's version, None where it is not installed."""
    program = shutil.which("nginx")
    if program is None:
        return None
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr
    return said.strip().rpartition("/")[2].split()[0]


@contextmanager
def vendor(folder: Path, answer: str, core: int) -> Iterator[int]:
    """A vendor that answers every request with the same JSON, on the port given back."""
    with _served(folder / "vendor", lambda port: _VENDOR.format(port=port, answer=answer), core) as (port, _):
        yield port


@contextmanager
def proxy(folder: Path, target: int, core: int, *, scheme: str = "http") -> Iterator[tuple[int, int]]:
    """A plain reverse proxy in front of `target`: its port and its process id."""
    with _served(folder / "proxy", lambda port: _PROXY.format(port=port, target=target, scheme=scheme), core) as served:
        yield served


@contextmanager
def _served(folder: Path, server: "object", core: int) -> Iterator[tuple[int, int]]:
    folder.mkdir()
    port = free_port()
    text = _HEAD.format(folder=folder) + server(port)  # type: ignore[operator]
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(command, port, core=core) as process:
        yield port, process.pid


_STREAMS = """server {{ listen 127.0.0.1:{port} backlog=4096; root {files}; default_type text/event-stream;
  error_page 405 =200 $uri; location / {{ }} }} }}"""


@contextmanager
def streams(folder: Path, answers: Mapping[str, bytes], core: int) -> Iterator[int]:
    """A vendor that answers each path with its own stream of events, all of it at once, on the port given back."""
    files = folder / "files"
    folder.chmod(0o755)  # the worker is not the user who wrote them
    for path, answer in answers.items():
        file = files / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer)
    with _served(folder / "streams", lambda port: _STREAMS.format(port=port, files=files), core) as (port, _):
        yield port
