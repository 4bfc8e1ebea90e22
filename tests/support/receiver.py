"""A small HTTP receiver in a thread that keeps the JSON it is sent, and answers when it may."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    url: str = ""
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def events(self) -> list[str]:
        return [document["event"] for document in self.got]

    def wait_for(self, *events: str, seconds: float = 30) -> None:
        """Returns when all of these have come."""
        end = time.monotonic() + seconds
        with self.changed:
            while not set(events) <= set(self.events):
                assert self.changed.wait(end - time.monotonic()), f"only {self.events} came"


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Serves on a free port of loopback."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with kept.changed:
                kept.headers.append({name.lower(): value for name, value in self.headers.items()})
                kept.got.append(json.loads(body))
                kept.changed.notify_all()
            self.send_response(kept.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_request(self, *arguments: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.url = f"http://127.0.0.1:{server.server_port}/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
