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

from bench._ground.processes import free_port, memory_mb
from bench.statusline import percentile

RUNS = int(os.environ.get("BENCH_RUNS", "50"))
STARTS = int(os.environ.get("BENCH_STARTS", "10"))
FILES = 60
SETTLED_S = 3.0
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


def measure(environment: Mapping[str, str], repository: Path) -> dict[str, list[float]]:
    """Milliseconds from start to end of each command, taken in turn. The readings stay younger than a minute."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    refreshed = time.monotonic()
    for number in range(-2, RUNS):
        if time.monotonic() - refreshed > 30:
            status(environment, "--refresh")
            refreshed = time.monotonic()
        for name in COMMANDS:
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, *command_line(name)],
                env=environment,
                cwd=repository,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=60,
            )
            if number >= 0:
                taken[name].append((time.perf_counter() - began) * 1000)
    return taken


def peak_mb(environment: Mapping[str, str], repository: Path, name: str) -> float:
    """The most memory a command has held, in MB."""
    command = [sys.executable, "-c", PEAK, *command_line(name)]
    done = subprocess.run(command, env=environment, cwd=repository, capture_output=True, check=True, timeout=60)
    return int(done.stdout) / 1024


def first_answer(environment: Mapping[str, str]) -> tuple[float, float]:
    """Milliseconds from the start of the service to its first answer, and its memory (PSS) when it has settled."""
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
        return took_ms, memory_mb(process.pid)
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


def row(name: str, values: list[float], bare: list[float], floor_ms: float | None) -> str:
    """One line of the table."""
    shares = [percentile(values, share) for share in (0.5, 0.95)]
    ratios = [one / percentile(bare, share) for one, share in zip(shares, (0.5, 0.95), strict=True)]
    floor = "–" if floor_ms is None else f"{floor_ms:g}"
    figures = [*(f"{one:.1f}" for one in (*shares, min(values))), *(f"{one:.1f}" for one in ratios), floor]
    return f"| {name} | " + " | ".join(figures) + " |"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, sandbox() as upstream:
        environment = make_home(Path(folder), upstream)
        repository = make_repository(Path(folder))
        taken = measure(environment, repository)
        preview = next(name for name in COMMANDS if name.startswith("review"))
        peaks = {name: peak_mb(environment, repository, name) for name in (BARE, preview)}
        starts = [first_answer(environment) for _ in range(STARTS)]
    bare = taken[BARE]
    print(f"{RUNS} cold runs each, in turn, and {STARTS} starts of the service; {len(ACCOUNTS)} accounts.\n")
    print(
        "| Command | p50, ms | p95, ms | min, ms | p50 ÷ bare | p95 ÷ bare | Floor, ms |\n|---|---|---|---|---|---|---|"
    )
    for name, values in taken.items():
        print(row(name, values, bare, COMMANDS[name][1]))
    print(row("up, start to first answer", [took for took, _ in starts], bare, 1000))
    print("\n| Memory, MB | Measured | Floor |\n|---|---|---|")
    print(f"| {BARE}, most | {peaks[BARE]:.0f} | – |")
    print(f"| {preview}, most | {peaks[preview]:.0f} | 100 |")
    print(f"| up, idle (PSS) | {max(memory for _, memory in starts):.0f} | 80 |", flush=True)


if __name__ == "__main__":
    main()
