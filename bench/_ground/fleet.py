"""The service as its users run it, in front of the sandbox: started, killed, looked into."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import perilune
from bench._ground.processes import free_port, memory_mb, wait_for

_FLEETS = {
    "kimi": {"plan": "kimi-code", "region": "cn", "model": "kimi-for-coding"},
    "moon": {"plan": "moonshot", "region": "intl", "model": "kimi-k2.6"},
    "code": {"plan": "kimi-code", "region": "intl", "model": "kimi-for-coding"},
}
_QUICK = """schema = 1

[monitor]
interval_s = 86400

[gateway]
connect_timeout_s = 5
first_content_timeout_s = {first_s}
answer_timeout_s = {first_s}
idle_timeout_s = {first_s}
total_timeout_s = 20
queue_timeout_s = 10
queue_patience_s = 0.2
rate_wait_s = 0.2
body_max = 1048576
drain_s = {drain_s}
"""


def keys_of(routes: int) -> dict[str, str]:
    """The key of every account by its name; obviously invented."""
    return {
        f"{fleet}-{number}": f"sk-{'' if fleet == 'moon' else 'kimi-'}EXAMPLE0{fleet}0{number:032}"
        for number in range(routes)
        for fleet in _FLEETS
    }


def scenario(routes: int, *, text: str, chunks: int | None = None) -> dict[str, Any]:
    """Vendors with an account of each fleet per route, each of its own organisation, with plenty of everything."""
    plenty = {"limit": 10_000_000, "used": 1, "resets_in_s": 9_000}
    accounts: dict[str, Any] = {}
    for name, key in keys_of(routes).items():
        fleet, _, number = name.partition("-")
        known = _FLEETS[fleet]
        own: dict[str, Any] = {"plan": known["plan"], "region": known["region"], "keys": [key]}
        if fleet == "moon":
            own |= {"tier": 5, "cash": "1000000", "org_id": f"org-{number}", "key_id": f"ak-{number}"}
        else:
            spans = {"5h": 18_000, "7d": 604_800}
            own |= {"user_id": f"u_{name}", "parallel": 1_000}
            own["windows"] = {window: {**plenty, "span_s": span} for window, span in spans.items()}
        accounts[name] = own
    script: dict[str, Any] = {"text": text} | ({"chunks": chunks} if chunks else {})
    return {"title": "chaos", "accounts": accounts, "script": script}


def configuration(routes: int, *, cap: int = 30, first_s: float = 2, drain_s: float = 10) -> str:
    """Routes `m0`, `m1`, … of three accounts each, with short clocks."""
    parts = [_QUICK.format(first_s=first_s, drain_s=drain_s)]
    for name in keys_of(routes):
        known = _FLEETS[name.partition("-")[0]]
        parts.append(
            f'[[accounts]]\nname = "{name}"\nplan = "{known["plan"]}"\nregion = "{known["region"]}"\n'
            f'key = "env:{_variable(name)}"\nmax_concurrent_requests = {cap}\n'
        )
    for number in range(routes):
        slots = ", ".join(
            f'{{ account = "{fleet}-{number}", model = "{known["model"]}" }}' for fleet, known in _FLEETS.items()
        )
        parts.append(f'[[gateway.routes]]\nname = "r{number}"\nmatch = ["m{number}"]\nslots = [{slots}]\n')
    return "\n".join(parts)


def _variable(name: str) -> str:
    return f"BENCH_KEY_{name.replace('-', '_').upper()}"


class Service:
    """One home and the process that runs in it. `start` and the two ends may be called over and over."""

    def __init__(self, home: Path, upstream: str, config: str, routes: int) -> None:
        self.home = home
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "config.toml").write_text(config)
        (home / "config.toml").chmod(0o600)
        runtime = home / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PERILUNE_")},
            "PYTHONPATH": str(Path(perilune.__file__).parents[1]),
            "PERILUNE_HOME": str(home),
            "PERILUNE_UPSTREAM": upstream,
            "XDG_RUNTIME_DIR": str(runtime),
            **{_variable(name): key for name, key in keys_of(routes).items()},
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(
        self, *, limit_s: float = 60, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> float:
        """Start the process, behind a prefix of its command; seconds until it accepted a connection."""
        argv = [*prefix, sys.executable, "-m", "perilune", "up", "--listen", f"127.0.0.1:{self.port}"]
        with (self.home / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env={**self.environment, **(environment or {})},
            )
        took = wait_for(self.port, self.process, limit_s)
        until = time.monotonic() + limit_s
        while self.get("/readyz")[0] != 200:
            if time.monotonic() > until:
                raise TimeoutError("the service does not get ready")
            time.sleep(0.02)
        return took

    def kill(self) -> None:
        """kill -9."""
        self._running.kill()
        self._running.wait(30)

    def terminate(self) -> int:
        """SIGTERM; its exit status."""
        self._running.send_signal(signal.SIGTERM)
        return self._running.wait(60)

    def end(self) -> None:
        """Stop it in whatever state it is."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def said(self) -> str:
        """Everything that all its processes wrote to standard error."""
        return (self.home / "said.txt").read_text(errors="replace")

    def get(self, path: str) -> tuple[int, bytes]:
        """One page of it; status 0 where there is no answer."""
        try:
            with urlopen(Request(self.url + path), timeout=20) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    @property
    def in_flight(self) -> int:
        """Leases held now, over all accounts."""
        routes = json.loads(self.get("/api/v1/routes")[1])["routes"]
        return sum(int(slot["in_flight"]) for route in routes for slot in route["slots"])

    @property
    def memory_mb(self) -> float:
        return memory_mb(self._running.pid)

    @property
    def files_open(self) -> int:
        return len(list(Path(f"/proc/{self._running.pid}/fd").iterdir()))

    @property
    def database(self) -> Path:
        return next(iter(sorted(self.home.rglob("*.sqlite3")) or sorted(self.home.rglob("*.db"))))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the store holds, read beside the service."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def ledger_ids(self) -> list[str]:
        return [str(row[0]) for row in self.rows("SELECT id FROM requests")]

    def complaints(self) -> Iterator[str]:
        """What the store's own examination finds wrong."""
        for (word,) in self.rows("PRAGMA integrity_check"):
            if word != "ok":
                yield str(word)
        for row in self.rows("PRAGMA foreign_key_check"):
            yield f"foreign key: {row}"

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        if self.process is None:
            raise RuntimeError("nothing has been started")
        return self.process
