"""One cap shared by processes: never above it, and full for nearly all of the time while more is offered.

Clients hold a lease for 50 to 150 ms and come again at once. Counted is what really overlapped, by the machine's clock:
the most leases at one moment, and the share of the time in which as many were live as the cap allows.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
CAP, CLIENTS, HOLD_MS = 30, 256, 100
_CASES = (("locks", 1), ("locks", 4), ("rows", 4), ("redis", 3))


class Figures(NamedTuple):
    """What came of one measurement. `full` is a share of the time, 0 to 1."""

    most: int
    full: float
    mean: float
    served: int
    refused: int


def measure(
    backend: str, processes: int, folder: Path, url: str = "", *, clients: int, seconds: float, hold_ms: float
) -> Figures:
    """Run the clients in so many processes and put their leases on one line of time."""
    arguments = [backend, str(folder), url, str(CAP), str(clients // processes), str(seconds), str(hold_ms)]
    argv = [sys.executable, "-m", "bench._ground.leases", *arguments]
    source = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{source / 'src'}{os.pathsep}{source}"}
    workers = [
        subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=source, env=environment
        )
        for _ in range(processes)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    texts = [worker.communicate(timeout=seconds + 120)[0].splitlines() for worker in workers]
    spans = [tuple(map(int, line.split())) for text in texts for line in text[1:]]
    return figures([(began, ended) for began, ended in spans], sum(int(text[0]) for text in texts), seconds)


def figures(spans: Sequence[tuple[int, int]], refused: int, seconds: float) -> Figures:
    """The overlap of leases, without the first and the last tenth of the time."""
    edges = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    start = edges[0][0] + round(seconds * 1e8)
    end = edges[0][0] + round(seconds * 9e8)
    most = live = full = sum_ = 0
    for (at, step), (then, _) in pairwise(edges):
        live += step
        most = max(most, live)
        length = max(min(then, end) - max(at, start), 0)
        full += length * (live >= CAP)
        sum_ += length * live
    return Figures(most, full / (end - start), sum_ / (end - start), len(spans), refused)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The address of a server on a socket of its own."""
    socket = folder / "s"
    argv = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        deadline = time.monotonic() + 20
        while not socket.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"unix://{socket}"
    finally:
        process.kill()
        process.wait(timeout=10)


def _row(backend: str, processes: int, folder: Path) -> str:
    folder.mkdir()
    title = f"{backend}, {processes} {'process' if processes == 1 else 'processes'}"
    if backend == "redis":
        if shutil.which("redis-server") is None:
            return f"| {title} | not measured: no redis-server here | | | | |"
        with redis_server(folder) as url:
            found = measure(backend, processes, folder, url, clients=CLIENTS, seconds=SECONDS, hold_ms=HOLD_MS)
    else:
        found = measure(backend, processes, folder, clients=CLIENTS, seconds=SECONDS, hold_ms=HOLD_MS)
    return (
        f"| {title} | {found.most} | {found.full:.1%} | {found.mean:.2f} | {found.served / SECONDS:.0f} |"
        f" {found.refused} |"
    )


def main() -> None:
    """Print the table."""
    print(f"Cap {CAP}, {CLIENTS} clients offered, {HOLD_MS} ms held (half to one and a half), {SECONDS:.0f} s.\n")
    print("| Backend | most at once | time at the cap | mean in flight | leases/s | refused |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for backend, processes in _CASES:
            print(_row(backend, processes, Path(name) / f"{backend}{processes}"), flush=True)
