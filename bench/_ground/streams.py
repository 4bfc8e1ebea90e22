"""A client of many streams at once: what arrives, how long each piece was on its way, how long the first one took.

Run as a program it prints one JSON object.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

_SENT = re.compile(rb"@(\d+)@")


@dataclass
class Seen:
    """What one run of streams gave. Units: milliseconds."""

    chunks: int
    streams: int
    broken: int
    first_p50_ms: float
    first_p99_ms: float
    transit_p50_ms: float
    transit_p99_ms: float


class Reader(asyncio.Protocol):
    """One stream after the other on one connection."""

    def __init__(self, request: bytes, rounds: int, seen: dict[str, list[float]], done: "asyncio.Future[bool]") -> None:
        self._request = request
        self._rounds = rounds
        self._seen = seen
        self._done = done
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._begin()

    def _begin(self) -> None:
        self._asked = time.monotonic_ns()
        self._is_first = True
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        found = _SENT.findall(data)
        if found and self._is_first:
            self._is_first = False
            self._seen["first"].append((now - self._asked) / 1e6)
        self._seen["transit"] += [(now - int(sent)) / 1e6 for sent in found]
        self._tail = (self._tail + data)[-16:]
        if self._tail.endswith(b"0\r\n\r\n"):
            self._tail = b""
            self._rounds -= 1
            if self._rounds:
                self._begin()
            else:
                self._finish(is_whole=True)

    def connection_lost(self, error: Exception | None) -> None:
        self._finish(is_whole=False)

    def _finish(self, *, is_whole: bool) -> None:
        if not self._done.done():
            self._done.set_result(is_whole)
            self._transport.close()


async def _run(port: int, path: str, body: bytes, streams: int, rounds: int) -> Seen:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer local\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    seen: dict[str, list[float]] = {"first": [], "transit": []}
    ends = []
    for _ in range(streams):
        done: asyncio.Future[bool] = loop.create_future()
        ends.append(done)
        await loop.create_connection(
            lambda done=done: Reader(head.encode() + body, rounds, seen, done),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        await asyncio.sleep(0.002)
    whole = await asyncio.gather(*ends)
    transit, first = sorted(seen["transit"]), sorted(seen["first"])
    return Seen(
        chunks=len(transit),
        streams=streams * rounds,
        broken=whole.count(False),
        first_p50_ms=_at(first, 0.5),
        first_p99_ms=_at(first, 0.99),
        transit_p50_ms=_at(transit, 0.5),
        transit_p99_ms=_at(transit, 0.99),
    )


def _at(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def load(port: int, path: str, body: bytes, *, streams: int, rounds: int, core: int) -> Seen:
    """Run the client in a process of its own, pinned to a core."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "bench._ground.streams", str(port), path]
    command += ["--streams", str(streams), "--rounds", str(rounds)]
    root = Path(__file__).resolve().parents[2]
    said = subprocess.run(command, input=body, capture_output=True, check=True, cwd=root).stdout
    return Seen(**json.loads(said))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--streams", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    body = sys.stdin.buffer.read()
    seen = uvloop.run(_run(options.port, options.path, body, options.streams, options.rounds))
    print(json.dumps(seen.__dict__))


if __name__ == "__main__":
    main()
