"""`status --refresh` of ten accounts beside the slowest of them alone, and `perilune add` from paste to verdict.

The vendors are the shipped sandbox, each account behind a delay of its own. The slowest alone and all ten are read in
turn, each time by a process of its own in a home without readings; what counts is their ratio.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from bench.commands import sandbox
from bench.statusline import percentile

RUNS = int(os.environ.get("BENCH_RUNS", "10"))
ACCOUNTS = 10
SLOWEST_S, STEP_S = 1.0, 0.08
FLOOR, GOAL = 1.3, 1.1
VERDICT_FLOOR_S, VERDICT_GOAL_S = 6.0, 3.0
KEY = "sk-EXAMPLE0sandbox0refresh{number:02d}0000000000000001"
NAMES = [f"account-{number:02d}" for number in range(ACCOUNTS)]
START = "import sys; from perilune.__main__ import main; sys.exit(main())"


def prepare(upstream: str) -> None:
    """Ten accounts at the played vendors, each later than the one before it."""
    accounts = {
        name: {"plan": "moonshot", "region": region_of(number), "keys": [key_of(number)], "org_id": f"org-{number:04d}"}
        for number, name in enumerate(NAMES)
    }
    control(upstream, "scenario", {"scenario": {"title": "refresh", "accounts": accounts}})
    for number, name in enumerate(NAMES):
        late = SLOWEST_S - STEP_S * (ACCOUNTS - 1 - number)
        fault = {"key": f"{name}*", "path": "*/balance", "delay_headers_s": late, "count": None}
        control(upstream, "faults", fault)


def control(upstream: str, what: str, document: Mapping[str, object]) -> None:
    """Change the sandbox."""
    request = urllib.request.Request(
        f"{upstream}/_sandbox/{what}", json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def region_of(number: int) -> str:
    """Half of the accounts are on each host."""
    return ("cn", "intl")[number % 2]


def key_of(number: int) -> str:
    """An invented key."""
    return KEY.format(number=number)


def environment_of(home: Path, upstream: str) -> dict[str, str]:
    """A home with the ten accounts and no readings."""
    home.mkdir(mode=0o700)
    tables = [
        f'[[accounts]]\nname = "{name}"\nplan = "moonshot"\nregion = "{region_of(number)}"\n'
        f'key = "env:BENCH_{number}"\n'
        for number, name in enumerate(NAMES)
    ]
    config = home / "config.toml"
    config.write_text("schema = 1\n\n" + "\n".join(tables), encoding="utf-8")
    config.chmod(0o600)
    keys = {f"BENCH_{number}": key_of(number) for number in range(ACCOUNTS)}
    return os.environ | keys | {"PERILUNE_HOME": str(home), "PERILUNE_UPSTREAM": upstream, "LC_ALL": "C.UTF-8"}


def timed(environment: Mapping[str, str], arguments: list[str], given: str = "") -> tuple[float, str]:
    """Seconds from start to end of one command, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", START, *arguments], env=environment, input=given, text=True, capture_output=True,
        check=True, timeout=60,
    )  # fmt: skip
    return time.perf_counter() - began, done.stdout


def refreshed(folder: Path, upstream: str) -> tuple[list[float], list[float]]:
    """Seconds of the slowest account alone and of all, in turn."""
    alone, together = list[float](), list[float]()
    for number in range(-1, RUNS):
        for taken, names in ((alone, NAMES[-1:]), (together, [])):
            environment = environment_of(folder / f"{number}-{len(names)}", upstream)
            seconds, printed = timed(environment, ["status", *names, "--refresh", "--json"])
            read = [account for account in json.loads(printed)["accounts"] if account["balance"] is not None]
            if len(read) != (len(names) or ACCOUNTS):
                raise RuntimeError(f"{len(read)} accounts were read")
            if number >= 0:
                taken.append(seconds)
    return alone, together


def added(folder: Path, upstream: str, *, silent: str | None) -> list[float]:
    """Seconds from a pasted key to its saved account; `silent` is a host that never answers."""
    control(upstream, "scenario", {"name": "pong"})
    if silent is not None:
        control(upstream, "faults", {"host": silent, "delay_headers_s": 30, "count": None})
    taken = []
    for number in range(RUNS):
        home = folder / f"add-{silent}-{number}"
        environment = os.environ | {"PERILUNE_HOME": str(home), "PERILUNE_UPSTREAM": upstream, "LC_ALL": "C.UTF-8"}
        key = "sk-EXAMPLE0sandbox0moonshot0cn000000000000001"
        taken.append(timed(environment, ["add", "--stdin", "--json"], key)[0])
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as name, sandbox() as upstream:
        folder = Path(name)
        prepare(upstream)
        alone, together = refreshed(folder, upstream)
        ratio = percentile(together, 0.5) / percentile(alone, 0.5)
        print("| `status --refresh` | p50 | p95 | Ratio | Floor | Goal |\n|---|---|---|---|---|---|")
        print(f"| the slowest account alone | {_row(alone)} | 1 | | |")
        holds = "holds" if ratio <= FLOOR else "**missed**"
        print(f"| {ACCOUNTS} accounts | {_row(together)} | {ratio:.2f} | {FLOOR} {holds} | {GOAL} |")
        print("\n| `add`, paste to verdict | p50 | p95 | Floor | Goal |\n|---|---|---|---|---|")
        for what, silent in (("both hosts answer", None), ("the other host never answers", "api.moonshot.ai")):
            taken = added(folder, upstream, silent=silent)
            holds = "holds" if percentile(taken, 0.95) <= VERDICT_FLOOR_S else "**missed**"
            print(f"| {what} | {_row(taken)} | {VERDICT_FLOOR_S:g} s {holds} | {VERDICT_GOAL_S:g} s |")


def _row(taken: list[float]) -> str:
    return f"{percentile(taken, 0.5):.2f} s | {percentile(taken, 0.95):.2f} s"


if __name__ == "__main__":
    main()
