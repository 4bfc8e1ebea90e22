"""The gateway beside nginx in one run: the same vendor, the same client, one core for the proxy, one for the rest.

Every figure that counts is a ratio against nginx as a plain reverse proxy, taken in the same minutes.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench._ground import nginx, wrk
from bench._ground.processes import free_port, memory_mb, processor_s, running

PROXY_CORE, LOAD_CORE = 0, 1
SECONDS = int(os.environ.get("BENCH_SECONDS", "6"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "3"))

ANSWER = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1,
        "model": "kimi-k2.6",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "x" * 640}, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 250, "completion_tokens": 160, "total_tokens": 410, "cached_tokens": 0},
    },
)
CONFIG = """schema = 1

[[accounts]]
name = "bench"
plan = "moonshot"
region = "intl"
key = "env:BENCH_KEY"
max_concurrent_requests = 1000

[gateway]
stream_upstream = false

[[gateway.routes]]
name = "default"
slots = [{ account = "bench", model = "kimi-k2.6" }]
"""


def body(size: int) -> bytes:
    """A Chat request of about `size` bytes."""
    empty = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": ""}]}
    room = size - len(json.dumps(empty))
    return json.dumps({"model": "kimi-k2.6", "messages": [{"role": "user", "content": "a" * room}]}).encode()


@contextmanager
def perilune(folder: Path, vendor_port: int) -> Iterator[tuple[int, int, float]]:
    """The service in front of the vendor: its port, its process id, and the seconds until it answered."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    config = home / "config.toml"
    config.write_text(CONFIG)
    config.chmod(0o600)
    port = free_port()
    environment = os.environ | {
        "PERILUNE_HOME": str(home),
        "PERILUNE_UPSTREAM": f"http://127.0.0.1:{vendor_port}",
        "BENCH_KEY": "sk-EXAMPLE0bench000000000000000000000000001",
    }
    began = time.perf_counter()
    command = [sys.executable, "-m", "perilune", "up", "--listen", f"127.0.0.1:{port}"]
    with running(command, port, core=PROXY_CORE, environment=environment) as process:
        yield port, process.pid, time.perf_counter() - began


def rows(folder: Path) -> Iterator[list[str]]:
    """The measured rows: requests a second, latency, processor time, memory, start."""
    with (
        nginx.vendor(folder, ANSWER, LOAD_CORE) as vendor,
        nginx.proxy(folder, vendor, PROXY_CORE) as (proxy_port, proxy_pid),
        perilune(folder, vendor) as (our_port, our_pid, start_s),
    ):
        idle_mb = memory_mb(our_pid)
        sides = {"nginx": (proxy_port, proxy_pid), "Perilune": (our_port, our_pid)}
        for size, clients in ((1024, 32), (65_536, 32), (1024, 1)):
            yield from _compare(folder, sides, size, clients)
        yield [
            "memory (PSS) idle / after load, MB",
            f"{memory_mb(proxy_pid):.0f}",
            f"{idle_mb:.0f} / {memory_mb(our_pid):.0f}",
            "",
        ]
        yield ["start to first answer, s", "", f"{start_s:.2f}", ""]


def _compare(folder: Path, sides: dict[str, tuple[int, int]], size: int, clients: int) -> Iterator[list[str]]:
    best: dict[str, wrk.Load] = {}
    cost: dict[str, float] = {}
    for _ in range(REPEATS):
        for name, (port, pid) in sides.items():
            before = processor_s(pid)
            url = f"http://127.0.0.1:{port}/v1/chat/completions"
            load = wrk.load(url, body(size), folder, clients=clients, seconds=SECONDS, core=LOAD_CORE)
            if load.failures:
                raise RuntimeError(f"{name}: {load.failures} of {load.requests} requests failed")
            spent = (processor_s(pid) - before) / load.requests * 1e6
            if name not in best or load.per_second > best[name].per_second:
                best[name], cost[name] = load, spent
    theirs, ours = best["nginx"], best["Perilune"]
    label = f"{size // 1024} KB, {clients} client{'s' if clients > 1 else ''}"
    yield _row(f"requests/s, {label}", theirs.per_second, ours.per_second, "{:,.0f}", share=True)
    yield _row(f"processor time, {label}, µs/request", cost["nginx"], cost["Perilune"], "{:.1f}")
    if clients == 1:
        yield _row(f"latency p50, {label}, ms", theirs.p50_ms, ours.p50_ms, "{:.3f}")
        yield _row(f"latency p99, {label}, ms", theirs.p99_ms, ours.p99_ms, "{:.3f}")


def _row(title: str, theirs: float, ours: float, form: str, *, share: bool = False) -> list[str]:
    ratio = f"{ours / theirs:.0%} of nginx" if share else f"{ours / theirs:.2f} × nginx"
    return [title, form.format(theirs), form.format(ours), ratio]


def main() -> None:
    """Print the table, or say what is missing."""
    version = nginx.version()
    if version is None or not wrk.is_there() or (os.cpu_count() or 1) < 2:
        print("Not measured: this needs nginx, wrk and two cores.")
        return
    print(f"nginx {version}; best of {REPEATS} runs of {SECONDS} s; one worker each, pinned to one core.\n")
    print("| Measure | nginx | Perilune | Ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(Path(folder)):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
