"""The gateway under faults: of the vendors behind it, then of the clients in front of it.

10,000 requests each (`BENCH_REQUESTS`), all surfaces, streamed and not. Every client must get one whole right answer
or one clear error in its dialect; no lease may be left, no ledger row missing; the service stays up, its memory returns
and well-behaved clients beside the others are not slowed. Exit status 1 on any violation.
"""

import os
import sys
import time

from bench._ground.client_storm import client_storm
from bench._ground.storm import Outcome, upstream_round
from bench._ground.upstream_faults import KINDS

REQUESTS = int(os.environ.get("BENCH_REQUESTS", "10000"))
SEED = int(os.environ.get("BENCH_SEED", "1"))
_ROUND = 400
_ROUNDS = {"refused": 120}  # refused accounts stay closed: what comes after that is refused without an attempt
_WEIGHTS = {"cut": 6, "refused": 3, "hang": 0.5, "slow drip": 0.5}


def rounds(requests: int) -> list[tuple[str, int]]:
    """Kinds of faults with how many requests each gets, in rounds with a new service each."""
    wanted = [kind for kind in os.environ.get("BENCH_KINDS", "").split(",") if kind] or list(KINDS)
    unit = requests / sum(_WEIGHTS.get(kind, 1) for kind in wanted)
    found = []
    for kind in wanted:
        left = max(round(unit * _WEIGHTS.get(kind, 1)), 1)
        while left > 0:
            found.append((kind, min(left, _ROUNDS.get(kind, _ROUND))))
            left -= found[-1][1]
    return found


def upstream_table() -> list[str]:
    """One row per kind of fault behind the gateway; what was wrong is given back."""
    sums: dict[str, Outcome] = {}
    seed = SEED
    took: dict[str, float] = {}
    for kind, requests in rounds(REQUESTS):
        began, seed = time.perf_counter(), seed + 1
        outcome = upstream_round(kind, requests, seed)
        sums.setdefault(kind, Outcome()).add(outcome)
        took[kind] = took.get(kind, 0) + time.perf_counter() - began
        for line in outcome.faults[:20]:
            print(f"[{kind}, seed {seed}] {line}", file=sys.stderr, flush=True)
    print("| Fault behind | requests | right answers | clear errors | ended by an error event | violations | s |")
    print("|---|---|---|---|---|---|---|")
    total = Outcome()
    for kind, outcome in sums.items():
        print(_row(kind, outcome, took[kind]))
        total.add(outcome)
    print(_row("all", total, sum(took.values())), flush=True)
    return total.faults


def _row(kind: str, outcome: Outcome, took_s: float) -> str:
    kinds = outcome.kinds
    figures = (outcome.asked, kinds["answer"], kinds["error"], kinds["broken"], len(outcome.faults))
    return f"| {kind} | " + " | ".join(f"{figure:,}" for figure in figures) + f" | {took_s:.0f} |"


def main() -> None:
    """Print both tables; exit status 1 on any violation."""
    part = os.environ.get("BENCH_PART", "both")
    faults: list[str] = []
    if part != "clients":
        faults += upstream_table()
    if part != "vendors":
        print()
        faults += client_storm(REQUESTS, SEED)
    if faults:
        print(f"\n{len(faults)} violations; the first: {faults[0]}")
        sys.exit(1)
    print("\nNo violation.")
