"""The whole program as its users run it: processes, files, sockets; the vendors are the shipped sandbox."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
READY_S = 30.0
STOP_S = 15.0


@dataclass
class Program:
    """The program with a home of its own."""

    home: Path
    environment: dict[str, str]

    @property
    def command(self) -> list[str]:
        """What starts it."""
        return [sys.executable, "-m", "perilune"]

    def run(
        self, *arguments: str, stdin: str = "", timeout_s: float = 60, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [*self.command, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=self.environment | extra,
            cwd=self.home.parent,
            check=False,
        )

    def configure(self, text: str) -> None:
        """Write the configuration file."""
        self.home.mkdir(parents=True, exist_ok=True)
        file = self.home / "config.toml"
        file.write_text(text)
        file.chmod(0o600)


@dataclass
class Service:
    """A running `perilune up`."""

    process: subprocess.Popen[str]
    url: str = ""
    said: list[str] = field(default_factory=list)

    def stop(self) -> int:
        """Ask it to end, and give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)

    @property
    def stderr(self) -> str:
        return "".join(self.said)


def _environment(home: Path, upstream: str | None) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "XDG_RUNTIME_DIR")
    }
    ours = {"PERILUNE_HOME": str(home), "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "error"}
    return kept | ours | ({"PERILUNE_UPSTREAM": upstream} if upstream else {})


@pytest.fixture
def alone(tmp_path: Path) -> Program:
    """The program where no vendor can be reached."""
    return Program(tmp_path / "perilune", _environment(tmp_path / "perilune", None))


@pytest.fixture
def program(tmp_path: Path, sandbox: Any) -> Program:
    """The program with the sandbox in the place of the vendors."""
    return Program(tmp_path / "perilune", _environment(tmp_path / "perilune", sandbox.url))


@pytest.fixture
def start() -> Iterator[Callable[..., Service]]:
    """Starts services and stops what is still running in the end."""
    started: list[Service] = []

    def start_service(program: Program, *arguments: str, **extra: str) -> Service:
        process = subprocess.Popen(
            [*program.command, "up", "--listen", "127.0.0.1:0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=program.environment | extra,
        )
        service = Service(process)
        started.append(service)
        service.url = _wait_for_ready(service)
        return service

    yield start_service
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
        service.process.wait(STOP_S)
        if service.process.stderr:
            service.process.stderr.close()


def _wait_for_ready(service: Service) -> str:
    found = threading.Event()
    address: list[str] = []

    def listen() -> None:
        stream = service.process.stderr
        for line in stream or ():
            service.said.append(line)
            match = re.search(r"perilune \S+ · (http://\S+)", line)
            if match and not address:
                address.append(match[1])
                found.set()
        found.set()

    threading.Thread(target=listen, daemon=True).start()
    if not found.wait(READY_S) or not address:
        service.process.kill()
        raise AssertionError(f"the service did not get ready: {service.stderr}")
    return address[0]
