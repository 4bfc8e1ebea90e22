"""The status line cold, beside a bare interpreter in the same minutes; hosts kill it at 300 ms."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from perilune.quota.document import (
    AccountDocument,
    EffectiveDocument,
    LimitsDocument,
    PaceDocument,
    StatusDocument,
    WindowDocument,
)
from perilune.quota.line import AccountFacts, LineFacts, LineRoute, line_of

RUNS = int(os.environ.get("BENCH_RUNS", "200"))
BUSY = int(os.environ.get("BENCH_BUSY", "0"))
HOST_KILLS_MS = 300
START = "import sys; from perilune.__main__ import main; sys.exit(main())"
COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "statusline": ["-c", START, "statusline"],
    "statusline --for waybar": ["-c", START, "statusline", "--for", "waybar"],
    "statusline --for claude": ["-c", START, "statusline", "--for", "claude"],
    "statusline, nothing stored": ["-c", START, "statusline"],
}


def write_line(home: Path, accounts: int) -> None:
    """The file of a user with several accounts, read just now."""
    now = datetime.now(UTC)
    document = StatusDocument(generated_at=now, accounts=[_account(f"a{n}", now) for n in range(accounts)], errors=[])
    names = tuple(account.name for account in document.accounts)
    facts = LineFacts(
        accounts={name: AccountFacts(plan_label="Plan", interval_s=86_400) for name in names},
        routes=[LineRoute("default", names)],
    )
    (home / "line.json").write_bytes(msgspec.json.encode(line_of(document, facts)))


def _account(name: str, now: datetime) -> AccountDocument:
    pace = PaceDocument(expected_ratio=0.576, stage="ahead", lasts=False, empty_at=now + timedelta(hours=1))
    windows = [
        WindowDocument(
            id=window, label=window, span_s=18_000, used_ratio=0.695, used=139, limit=200, remaining=61,
            unit="requests", resets_at=now + timedelta(hours=2), reliable=True, conflict=False, pace=pace, state="high",
        )
        for window in ("5h", "7d", "month")
    ]  # fmt: skip
    verdict = EffectiveDocument(usable=True, blocked_by=None, until=None, binding="5h", remaining_ratio=0.305)
    return AccountDocument(
        name=name, plan="plan", region="cn", plan_title=None, source="api-key", state="high", fetched_at=now, age_s=0,
        windows=windows, balance=None, effective=verdict, limits=LimitsDocument(concurrency=30, rpm=None, tpm=None),
        error=None,
    )  # fmt: skip


def measure(home: Path, runs: int) -> dict[str, list[float]]:
    """Milliseconds from start to end of each command, taken in turn."""
    environment = os.environ | {"PERILUNE_HOME": str(home), "LC_ALL": "C.UTF-8"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed programs have their compiled files
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(-2, runs):
        for name, arguments in COMMANDS.items():
            empty = {"PERILUNE_HOME": str(home / "nothing")} if name.endswith("stored") else {}
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments],
                env=environment | empty,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=30,
            )
            if number >= 0:
                taken[name].append((time.perf_counter() - began) * 1000)
    return taken


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of all lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def main() -> None:
    """Print the table."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            write_line(Path(folder), accounts=4)
            taken = measure(Path(folder), RUNS)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    print(f"{RUNS} cold starts each, in turn, 4 accounts of 3 windows, {BUSY} busy loops beside it.\n")
    print("| Command | p50, ms | p95, ms | max, ms | p50 ÷ bare | p95 ÷ bare | over 300 ms |")
    print("|---|---|---|---|---|---|---|")
    bare = taken["bare interpreter"]
    for name, values in taken.items():
        shares = [percentile(values, share) for share in (0.5, 0.95)]
        ratios = [one / percentile(bare, share) for one, share in zip(shares, (0.5, 0.95), strict=True)]
        killed = sum(value > HOST_KILLS_MS for value in values)
        figures = [*(f"{one:.1f}" for one in (*shares, max(values))), *(f"{one:.2f}" for one in ratios), str(killed)]
        print(f"| {name} | " + " | ".join(figures) + " |", flush=True)


if __name__ == "__main__":
    main()
