"""The service under measurement, with a configuration for what is measured."""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench._ground.processes import free_port, running

_KEY = "sk-EXAMPLE0bench000000000000000000000000001"
_CONFIG = """schema = 1

[[accounts]]
name = "bench"
plan = "{plan}"
region = "intl"
key = "env:BENCH_KEY"
max_concurrent_requests = {cap}
{second}
[gateway]
stream_upstream = false

[[gateway.routes]]
name = "default"
slots = [{slots}]
"""
_SECOND = """
[[accounts]]
name = "second"
plan = "moonshot"
region = "cn"
key = "env:BENCH_KEY_2"
max_concurrent_requests = 1000
"""


@dataclass
class Service:
    """A running service."""

    port: int
    pid: int
    start_s: float
    home: Path

    def dropped(self) -> int:
        """Requests that were answered and are not in the ledger."""
        time.sleep(1)
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith("perilune_gateway_ledger_dropped"))

    def rows(self) -> int:
        """Requests in the ledger."""
        with sqlite3.connect(next(self.home.rglob("perilune.db"))) as store:
            return int(store.execute("SELECT count(*) FROM requests").fetchone()[0])


@contextmanager
def perilune(
    folder: Path,
    vendor_port: int,
    core: int,
    *,
    plan: str = "moonshot",
    model: str = "kimi-k2.6",
    cap: int = 1000,
    fallback: bool = False,
    certificate: Path | None = None,
) -> Iterator[Service]:
    """The service in front of a vendor."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = ["bench", "second"] if fallback else ["bench"]
    slots = ", ".join(f'{{ account = "{name}", model = {json.dumps(model)} }}' for name in names)
    text = _CONFIG.format(plan=plan, cap=cap, slots=slots, second=_SECOND if fallback else "")
    upstream = {"PERILUNE_UPSTREAM": f"http://127.0.0.1:{vendor_port}"}
    if certificate is not None:
        text = text.replace('plan = "moonshot"\nregion = "intl"', _own_endpoint(vendor_port)).replace(
            "stream_upstream = false", 'stream_upstream = false\nallow_private = ["127.0.0.1"]'
        )
        upstream = {"SSL_CERT_FILE": str(certificate)}
    config = folder / "config.toml"
    config.write_text(text)
    config.chmod(0o600)
    port = free_port()
    key = _KEY.replace("sk-", "sk-kimi-") if plan == "kimi-code" else _KEY
    environment = os.environ | upstream | {"PERILUNE_HOME": str(folder), "BENCH_KEY": key, "BENCH_KEY_2": key + "2"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "perilune", "up", "--listen", f"127.0.0.1:{port}"]
    with running(command, port, core=core, environment=environment) as process:
        yield Service(port, process.pid, time.perf_counter() - began, folder)


def _own_endpoint(port: int) -> str:
    return f'plan = "openai-compatible"\nbase_url = "https://localhost:{port}/v1"'
