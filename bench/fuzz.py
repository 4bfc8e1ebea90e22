"""Every parser of foreign data under bad input: 1,000,000 in all (`BENCH_INPUTS`), none may end but with its own error.

Samples of the vendors' answers, streams, diffs, configurations and webhooks are made worse byte by byte and value by
value. Besides not crashing: a stream gives the same events however it is cut, a relay and a diff say nothing that the
input does not, a window's use is a number. Exit status 1 on any violation; each is shown with what brings it back.
"""

import os
import random
import sys
import time
from collections import Counter

from bench._ground.mutating import worse
from bench._ground.parsers import Parser, parsers

INPUTS = int(os.environ.get("BENCH_INPUTS", "1000000"))
SEED = int(os.environ.get("BENCH_SEED", "1"))
_SHOWN = 5
_SLOW_S = 5.0


def fuzzed(parser: Parser, inputs: int, seed: int) -> list[str]:
    """What was wrong, the same place once."""
    chance = random.Random(f"{parser.name} {seed}")
    found: list[str] = []
    seen: Counter[str] = Counter()
    for _ in range(inputs):
        data = worse(chance.choice(parser.samples), chance)
        began = time.perf_counter()
        try:
            parser.take(data, chance)
        except Exception as error:  # noqa: BLE001 whatever a parser lets out is what is looked for
            place = _place_of(error)
            seen[place] += 1
            if seen[place] == 1:
                found.append(f"{parser.name}: {place} for {data[:300]!r}")
        if time.perf_counter() - began > _SLOW_S:
            found.append(f"{parser.name}: slow for {data[:300]!r}")
    return found


def _place_of(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
    return f"{type(error).__name__}: {str(error)[:120]}{place}"


def main() -> None:
    """Print the table; exit status 1 on any violation."""
    faults: list[str] = []
    print("| Parsers of | inputs | violations | s |\n|---|---|---|---|")
    for parser in parsers():
        began, inputs = time.perf_counter(), max(round(INPUTS * parser.share), 1)
        found = fuzzed(parser, inputs, SEED)
        print(f"| {parser.name} | {inputs:,} | {len(found)} | {time.perf_counter() - began:.0f} |", flush=True)
        faults += found
    for line in faults[: _SHOWN * 10]:
        print(line, file=sys.stderr)
    if faults:
        print(f"\n{len(faults)} violations; the first: {faults[0]}")
        sys.exit(1)
    print("\nNo violation.")
