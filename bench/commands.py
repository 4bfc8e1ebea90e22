"""Commands cold, beside a bare interpreter in the same minutes, and the service from its start to its first answer.

The vendors are the shipped sandbox; what counts are the ratios to the bare interpreter.
"""

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench._ground.processes import free_port, memory_mb, processor_s
from bench.statusline import percentile

RUNS = int(os.environ.get("BENCH_RUNS", "50"))
STARTS = int(os.environ.get("BENCH_STARTS", "10"))
FILES = 60
SETTLED_S = 3.0
IDLE_S = 30.0
START = "import sys; from perilune.__main__ import main; sys.exit(main())"
PEAK = """
import resource, subprocess, sys
subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
BARE = "bare interpreter"
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    BARE: ([], None),
    "--help": (["--help"], 80),
    "status, from the store": (["status"], 120),
    "accounts list": (["accounts", "list"], None),
    "config get": (["config", "get", "gateway.listen"], None),
    "explain": (["explain", "PL-QUOTA-5H"], None),
    f"review --preview, {FILES} files": (["review", "--preview"], 300),
}
ACCOUNTS = {
    "work": ("kimi-code", "cn", "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001"),
    "studio": ("kimi-code", "intl", "sk-kimi-EXAMPLE0sandbox0intl00000000000000001"),
    "lab": ("moonshot", "cn", "sk-EXAMPLE0sandbox0moonshot0cn000000000000001"),
    "ci": ("moonshot", "intl", "sk-EXAMPLE0sandbox0moonshot0intl0000000000001"),
}


class Taken(NamedTuple):
    """Milliseconds from start to end, and of the processor; the latter hardly depends on what else is running."""

    wall_ms: float
    cpu_ms: float


@contextmanager
def sandbox() -> Iterator[str]:
    """The played vendors in a process of their own; gives their address."""
    port = free_port()
    command = [sys.executable, "-m", "perilune", "sandbox", "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the sandbox did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def make_home(folder: Path, upstream: str) -> dict[str, str]:
    """A home with four accounts, read once; gives the environment of its user."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    tables = [
        f'[[accounts]]\nname = "{name}"\nplan = "{plan}"\nregion = "{region}"\nkey = "env:BENCH_KEY_{name.upper()}"\n'
        for name, (plan, region, _) in ACCOUNTS.items()
    ]
    config = home / "config.toml"
    config.write_text("schema = 1\n\n" + "\n".join(tables), encoding="utf-8")
    config.chmod(0o600)
    keys = {f"BENCH_KEY_{name.upper()}": key for name, (_, _, key) in ACCOUNTS.items()}
    environment = os.environ | keys | {"PERILUNE_HOME": str(home), "PERILUNE_UPSTREAM": upstream, "LC_ALL": "C.UTF-8"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed programs have their compiled files
    status(environment, "--refresh")
    return environment


def make_repository(folder: Path) -> Path:
    """A repository with one changed line in each of its files."""
    repository = folder / "repository"
    repository.mkdir()
    for number in range(FILES):
        (repository / f"part{number}.py").write_text(f"def part{number}(value):\n    return value\n", encoding="utf-8")
    who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for command in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "Begin"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    for number in range(FILES):
        (repository / f"part{number}.py").write_text(f"def part{number}(value):\n    return value + {number}\n")
    return repository


def status(environment: Mapping[str, str], *arguments: str) -> None:
    """Read the accounts, so that what follows finds them stored."""
    command = [sys.executable, "-m", "perilune", "status", *arguments]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=60)


def command_line(name: str) -> list[str]:
    """What is run for a name of the table."""
    return ["-c", "pass"] if name == BARE else ["-c", START, *COMMANDS[name][0]]


def measure(environment: Mapping[str, str], repository: Path) -> dict[str, list[Taken]]:
    """Milliseconds from start to end of each command, taken in turn. The readings stay younger than a minute."""
    taken: dict[str, list[Taken]] = {name: [] for name in COMMANDS}
    refreshed = time.monotonic()
    for number in range(-2, RUNS):
        if time.monotonic() - refreshed > 30:
            status(environment, "--refresh")
            refreshed = time.monotonic()
        for name in COMMANDS:
            both = run_cold([sys.executable, *command_line(name)], environment, repository)
            if number >= 0:
                taken[name].append(both)
    return taken


def run_cold(command: list[str], environment: Mapping[str, str], folder: Path) -> Taken:
    """Run a command to its end."""
    quiet = subprocess.DEVNULL
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(process.pid, 0)
    wall_ms = (time.perf_counter() - began) * 1000
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[-1]} ended with {process.returncode}")
    return Taken(wall_ms, (used.ru_utime + used.ru_stime) * 1000)


def peak_mb(environment: Mapping[str, str], repository: Path, name: str) -> float:
    """The most memory a command has held, in MB."""
    command = [sys.executable, "-c", PEAK, *command_line(name)]
    done = subprocess.run(command, env=environment, cwd=repository, capture_output=True, check=True, timeout=60)
    return int(done.stdout) / 1024


def first_answer(environment: Mapping[str, str], idle_s: float = 0) -> tuple[float, float, float]:
    """Milliseconds from the start of the service to its first answer, and when it has settled its memory (PSS) in MB
    and the share of a core that it takes over `idle_s` seconds without a request.
    """
    port = free_port()
    command = [sys.executable, "-m", "perilune", "up", "--listen", f"127.0.0.1:{port}"]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - began > 30:
                raise RuntimeError("the service did not start")
            time.sleep(0.002)
        took_ms = (time.perf_counter() - began) * 1000
        time.sleep(SETTLED_S)
        memory, before = memory_mb(process.pid), processor_s(process.pid)
        time.sleep(idle_s)
        return took_ms, memory, (processor_s(process.pid) - before) / idle_s if idle_s else 0
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def row(name: str, values: list[Taken], bare: list[Taken], floor_ms: float | None) -> str:
    """One line of the table."""
    walls = [one.wall_ms for one in values]
    ratios = [
        percentile([getattr(one, part) for one in values], 0.5) / percentile([getattr(one, part) for one in bare], 0.5)
        for part in Taken._fields
    ]
    figures = [*(percentile(walls, share) for share in (0.5, 0.95)), min(walls), *ratios]
    floor = "–" if floor_ms is None else f"{floor_ms:g}"
    return f"| {name} | " + " | ".join(f"{one:.1f}" for one in figures) + f" | {floor} |"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, sandbox() as upstream:
        environment = make_home(Path(folder), upstream)
        repository = make_repository(Path(folder))
        taken = measure(environment, repository)
        preview = next(name for name in COMMANDS if name.startswith("review"))
        peaks = {name: peak_mb(environment, repository, name) for name in (BARE, preview)}
        starts = [first_answer(environment) for _ in range(STARTS)]
        _, _, idle = first_answer(environment, IDLE_S)
    bare = taken[BARE]
    print(f"{RUNS} cold runs each, in turn, and {STARTS} starts of the service; {len(ACCOUNTS)} accounts.\n")
    print(
        "| Command | p50, ms | p95, ms | min, ms | p50 ÷ bare | processor time ÷ bare | Floor, ms |\n"
        "|---|---|---|---|---|---|---|"
    )
    for name, values in taken.items():
        print(row(name, values, bare, COMMANDS[name][1]))
    walls = [took for took, _, _ in starts]
    figures = [*(percentile(walls, share) for share in (0.5, 0.95)), min(walls)]
    figures.append(percentile(walls, 0.5) / percentile([one.wall_ms for one in bare], 0.5))
    print("| up, start to first answer | " + " | ".join(f"{one:.1f}" for one in figures) + " | – | 1000 |")
    print("\n| Memory, MB | Measured | Floor |\n|---|---|---|")
    print(f"| {BARE}, most | {peaks[BARE]:.0f} | – |")
    print(f"| {preview}, most | {peaks[preview]:.0f} | 100 |")
    print(f"| up, idle (PSS) | {max(memory for _, memory, _ in starts):.0f} | 80 |")
    print(f"\nThe service takes {idle:.2%} of a core in {IDLE_S:g} s without a request (floor 0.5 %).", flush=True)


if __name__ == "__main__":
    main()
