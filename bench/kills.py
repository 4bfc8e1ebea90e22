"""The service killed under load, over and over, and ended politely as often.

`kill -9` at random moments, 200 times (`BENCH_KILLS`), with streams and whole answers under way: each time the store
must pass its own examination, no ledger row of a request that ended more than a second before may be missing, no
reading of an account may be gone, and after the next start every lease must be free at once. Then SIGTERM: no answer
may be cut before `drain_s`, every row must be written, the exit status is 0. Exit status 1 on any violation.
"""

import os
import sys
import time

from bench._ground.killing import SIGNALS, Sum, killed, of

KILLS = int(os.environ.get("BENCH_KILLS", "200"))
SEED = int(os.environ.get("BENCH_SEED", "1"))


def main() -> None:
    """Print the table; exit status 1 on any violation."""
    faults: list[str] = []
    print("| Ended by | times | answers before | under way then | rows lost, older than 1 s | violations | s |")
    print("|---|---|---|---|---|---|---|")
    for name in SIGNALS:
        began = time.perf_counter()
        found: Sum = killed(name, KILLS, SEED)
        took = time.perf_counter() - began
        figures = (of(name, KILLS), found.answered, found.under_way, found.lost, len(found.faults))
        print(f"| {name} | " + " | ".join(f"{figure:,}" for figure in figures) + f" | {took:.0f} |", flush=True)
        faults += found.faults
    for line in faults[:20]:
        print(line, file=sys.stderr)
    if faults:
        print(f"\n{len(faults)} violations; the first: {faults[0]}")
        sys.exit(1)
    print("\nNo violation.")
