"""The gateway beside nginx in one run: the same vendor, the same client, one core for the proxy, one for the rest.

Every figure that counts is a ratio against nginx as a plain reverse proxy, taken in the same minutes. With
`BENCH_JSON=FILE` the figures are written there too. `BENCH_SHORT=1` takes a short form of each.
"""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench._ground import nginx, peers, streams, wrk
from bench._ground.processes import memory_mb, processor_s
from bench._ground.service import Service, perilune
from bench._ground.vendor import ANSWER, vendor
from perilune import __version__ as perilune_version

PROXY_CORE, LOAD_CORE = 0, 1
SHORT = bool(os.environ.get("BENCH_SHORT"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "2" if SHORT else "6"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "1" if SHORT else "3"))
STREAMS = 64 if SHORT else 256
CHAT = "/v1/chat/completions"
LITELLM = "LiteLLM is not installed here by choice; its own figures in this setting: 122 to 172 requests/s, 7,247 µs."


def body(size: int, *, stream: bool = False) -> bytes:
    """A Chat request of about `size` bytes."""
    asked: dict[str, object] = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": ""}]}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    room = max(size - len(json.dumps(asked)), 1)
    return json.dumps(asked | {"messages": [{"role": "user", "content": "a" * room}]}).encode()


@dataclass
class Row:
    """One line of the table. `share` says that more is better, and the ratio a share of nginx."""

    title: str
    theirs: float | None
    ours: float
    form: str = "{:.2f}"
    share: bool = False
    floor: str = "–"

    def ratio(self) -> str:
        if self.theirs is None or not self.theirs:
            return "–"
        return f"{self.ours / self.theirs:.0%} of nginx" if self.share else f"{self.ours / self.theirs:.2f} × nginx"

    def line(self) -> str:
        theirs = "–" if self.theirs is None else self.form.format(self.theirs)
        return f"| {self.title} | {theirs} | {self.form.format(self.ours)} | {self.ratio()} | {self.floor} |"


Sides = dict[str, tuple[int, int]]


def closed_loop(folder: Path, sides: Sides, size: int, clients: int, floor: str) -> Iterator[Row]:
    """As fast as so many clients get answers: requests, processor time, latency."""
    best: dict[str, wrk.Load] = {}
    cost: dict[str, float] = {}
    for _ in range(REPEATS):
        for name, (port, pid) in sides.items():
            before = processor_s(pid)
            url = f"http://127.0.0.1:{port}{CHAT}"
            load = wrk.load(url, body(size), folder, clients=clients, seconds=SECONDS, core=LOAD_CORE)
            if load.failures:
                raise RuntimeError(f"{name}: {load.failures} of {load.requests} requests failed")
            spent = (processor_s(pid) - before) / load.requests * 1e6
            if name not in best or spent < cost[name]:
                best[name], cost[name] = load, spent
    theirs, ours = best["nginx"], best["Perilune"]
    label = f"{size // 1024} KB, {clients} client{'s' if clients > 1 else ''}"
    yield Row(f"requests/s, {label}", theirs.per_second, ours.per_second, "{:,.0f}", share=True, floor=floor)
    yield Row(f"processor time, {label}, µs/request", cost["nginx"], cost["Perilune"], "{:.1f}")
    if clients == 1:
        yield Row(f"latency p50, {label}, ms", theirs.p50_ms, ours.p50_ms, "{:.3f}", floor="2 ×")
        yield Row(f"latency p99, {label}, ms", theirs.p99_ms, ours.p99_ms, "{:.3f}", floor="4 ×")
    for name in best.keys() - {"nginx", "Perilune"}:
        yield Row(f"{name}: requests/s, {label}", theirs.per_second, best[name].per_second, "{:,.0f}", share=True)


def plain_rows(folder: Path) -> Iterator[Row]:
    """Whole answers from a vendor that answers at once, and what the process takes."""
    with ExitStack() as held:
        target = held.enter_context(nginx.vendor(folder, ANSWER.decode(), LOAD_CORE))
        sides: Sides = {"nginx": held.enter_context(nginx.proxy(folder, target, PROXY_CORE))}
        ours = held.enter_context(perilune(folder / "plain", target, PROXY_CORE))
        sides["Perilune"] = (ours.port, ours.pid)
        portkey = held.enter_context(peers.portkey(target, PROXY_CORE))
        idle_mb = memory_mb(ours.pid)
        for size, clients, floor in ((1024, 32, "28 %"), (65_536, 32, "36 %"), (1024, 1, "–"), (1024, 256, "–")):
            yield from closed_loop(folder, sides, size, clients, floor)
        if portkey is not None:
            yield from closed_loop(folder, {**sides, "Portkey": portkey}, 1024, 32, "–")
        yield Row("memory (PSS) idle, MB", None, idle_mb, "{:.0f}", floor="70")
        yield Row(
            "memory (PSS) after load, MB", memory_mb(sides["nginx"][1]), memory_mb(ours.pid), "{:.0f}", floor="100"
        )
        yield Row("start to first answer, s", None, ours.start_s, floor="1")
        yield from _growth(folder, ours)
        yield Row("ledger rows dropped", None, ours.dropped(), "{:.0f}", floor="0")


def _growth(folder: Path, ours: Service) -> Iterator[Row]:
    """How much memory 100,000 more requests take, once the first ones are through."""
    seconds = SECONDS if SHORT else 30
    before, count = memory_mb(ours.pid), 0
    while count < (10_000 if SHORT else 100_000):
        url = f"http://127.0.0.1:{ours.port}{CHAT}"
        count += wrk.load(url, body(1024), folder, clients=32, seconds=seconds, core=LOAD_CORE).requests
    grown = (memory_mb(ours.pid) - before) / count * 100_000
    yield Row(f"growth per 100,000 requests (over {count:,}), MB", None, grown, floor="1")


def delayed_rows(folder: Path) -> Iterator[Row]:
    """32 users of a vendor that takes 100 ms: what is added to it."""
    with (
        vendor(LOAD_CORE, delay_ms=100) as target,
        nginx.proxy(folder, target, PROXY_CORE) as proxy,
        perilune(folder / "delayed", target, PROXY_CORE) as ours,
    ):
        ports = {"vendor": target, "nginx": proxy[0], "Perilune": ours.port}
        loads = {}
        for name, port in ports.items():
            url = f"http://127.0.0.1:{port}{CHAT}"
            loads[name] = wrk.load(url, body(1024), folder, clients=32, seconds=SECONDS, core=LOAD_CORE)
        bare = loads["vendor"]
        theirs, mine = loads["nginx"], loads["Perilune"]
        title = "added, 32 users, 100 ms vendor"
        yield Row(f"{title}, p50, ms", theirs.p50_ms - bare.p50_ms, mine.p50_ms - bare.p50_ms, floor="0.6 ms")
        yield Row(f"{title}, p99, ms", theirs.p99_ms - bare.p99_ms, mine.p99_ms - bare.p99_ms, floor="2 ms")


def stream_rows(folder: Path) -> Iterator[Row]:
    """Paced streams at once, relayed and translated."""
    with (
        vendor(LOAD_CORE, gap_ms=20 if SHORT else 10) as target,
        nginx.proxy(folder, target, PROXY_CORE) as proxy,
        perilune(folder / "streams", target, PROXY_CORE) as ours,
        perilune(folder / "translated", target, PROXY_CORE, plan="kimi-code", model="kimi-for-coding") as translating,
    ):
        theirs = _streamed(proxy)
        relayed = _streamed((ours.port, ours.pid))
        translated = _streamed((translating.port, translating.pid))
        title = f"{STREAMS} paced streams"
        yield Row(f"{title}, processor time, µs/chunk", theirs[0], relayed[0], "{:.1f}", floor="1.6 ×")
        yield Row(f"{title}, chunk p50, ms", theirs[1].transit_p50_ms, relayed[1].transit_p50_ms)
        yield Row(f"{title}, chunk p99, ms", theirs[1].transit_p99_ms, relayed[1].transit_p99_ms, floor="5 ms")
        yield Row(f"{title}, first chunk p99, ms", theirs[1].first_p99_ms, relayed[1].first_p99_ms)
        yield Row(f"{title}, broken", theirs[1].broken, relayed[1].broken, "{:.0f}", floor="0")
        yield Row("translated stream, processor time, µs/chunk", None, translated[0], "{:.1f}")
        yield Row(
            "translated stream, share of our own relayed one", None, relayed[0] / translated[0], "{:.0%}", floor="35 %"
        )


def _streamed(side: tuple[int, int]) -> tuple[float, streams.Seen]:
    port, pid = side
    before = processor_s(pid)
    seen = streams.load(port, CHAT, body(100, stream=True), streams=STREAMS, rounds=2, core=LOAD_CORE)
    return (processor_s(pid) - before) / max(seen.chunks, 1) * 1e6, seen


def tls_rows(folder: Path) -> Iterator[Row]:
    """The same with TLS between proxy and vendor; both reuse their connections."""
    certificate = peers.certificate(folder)
    if certificate is None:
        return
    with (
        vendor(LOAD_CORE, certificate=certificate) as target,
        nginx.proxy(folder, target, PROXY_CORE, scheme="https") as proxy,
        perilune(folder / "tls", target, PROXY_CORE, certificate=certificate) as ours,
    ):
        sides = {"nginx": proxy, "Perilune": (ours.port, ours.pid)}
        for row in closed_loop(folder, sides, 1024, 32, "–"):
            row.title += ", TLS to the vendor"
            yield row


def failover_rows(folder: Path) -> Iterator[Row]:
    """The route's main account is refused; its fallback answers."""
    with (
        vendor(LOAD_CORE, refuse="api.moonshot.ai") as target,
        nginx.proxy(folder, target, PROXY_CORE) as proxy,
        perilune(folder / "failover", target, PROXY_CORE, fallback=True) as ours,
    ):
        load = wrk.load(
            f"http://127.0.0.1:{ours.port}{CHAT}", body(1024), folder, clients=32, seconds=SECONDS, core=LOAD_CORE
        )
        bare = wrk.load(
            f"http://127.0.0.1:{proxy[0]}{CHAT}", body(1024), folder, clients=32, seconds=SECONDS, core=LOAD_CORE
        )
        yield Row(
            "main account refused: requests/s, 1 KB, 32 clients",
            bare.per_second,
            load.per_second,
            "{:,.0f}",
            share=True,
        )
        yield Row("main account refused: requests that failed", None, load.failures, "{:.0f}", floor="0")


def cap_rows(folder: Path) -> Iterator[Row]:
    """256 clients on a cap of 30: what the vendor saw."""
    with (
        vendor(LOAD_CORE, delay_ms=500) as target,
        perilune(folder / "cap", target, PROXY_CORE, cap=30) as ours,
    ):
        url, seconds = f"http://127.0.0.1:{ours.port}{CHAT}", max(SECONDS, 10)
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(wrk.load, url, body(1024), folder, clients=256, seconds=seconds, core=LOAD_CORE)
            time.sleep(3)
            peers.seen_in_flight(target, 30)  # behind the beginning, and before everybody leaves at once
            time.sleep(seconds - 5)
            most, share = peers.seen_in_flight(target, 30)
            load = loading.result()
        yield Row("cap 30, 256 clients: most in flight at the vendor", None, most, "{:.0f}", floor="30")
        yield Row("cap 30, 256 clients: time with 30 in flight", None, share, "{:.1%}", floor="97 %")
        yield Row("cap 30, 256 clients: refused", None, load.failures, "{:.0f}", floor="0")


PARTS: tuple[Callable[[Path], Iterator[Row]], ...] = (
    plain_rows, delayed_rows, stream_rows, tls_rows, failover_rows, cap_rows,
)  # fmt: skip


def main() -> None:
    """Print the table, or say what is missing."""
    version = nginx.version()
    if version is None or not wrk.is_there() or (os.cpu_count() or 1) < 2:
        print("Not measured: this needs nginx, wrk and two cores.")
        return
    print(f"nginx {version}; least processor time of {REPEATS} runs of {SECONDS} s; one worker each, on one core.")
    print(f"{LITELLM}\n")
    print("| Measure | nginx | Perilune | Ratio | Floor |\n|---|---|---|---|---|")
    rows: list[Row] = []
    for part in PARTS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                for row in part(Path(folder)):
                    rows.append(row)
                    print(row.line(), flush=True)
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                print(f"| {part.__name__}: not measured ({error}) | – | – | – | – |", flush=True)
    target = os.environ.get("BENCH_JSON")
    if target:
        Path(target).write_text(json.dumps({"versions": versions(version), "rows": [row.__dict__ for row in rows]}))


def versions(nginx_version: str) -> dict[str, str]:
    """What was measured with what."""
    packages = ("httptools", "uvloop", "msgspec", "sqlalchemy")
    found = {name: importlib.metadata.version(name) for name in packages}
    found |= {
        "perilune": perilune_version,
        "python": platform.python_version(),
        "nginx": nginx_version,
        "wrk": shutil.which("wrk") or "",
    }
    return found


if __name__ == "__main__":
    sys.exit(main())
