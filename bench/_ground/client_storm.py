"""Clients that misbehave, and one that does not beside them: nobody else notices, and nothing is left."""

import asyncio
import random
import statistics
import time
from collections import Counter
from typing import NamedTuple

from bench._ground import client_faults
from bench._ground.asking import FORMS, ask, body_of, judge, request_of
from bench._ground.fleet import Service
from bench._ground.storm import TEXT, ground, odd_words

CLIENTS = 24
GROWTH_MB = 8.0
MOST_SLOWED = 3.0
_WARM_SHARE = 0.1
_BESIDE_PAUSE_S = 0.02
_SETTLE_S = 15.0


class Report(NamedTuple):
    """Rows of a table, and what was wrong in words."""

    rows: list[list[str]]
    faults: list[str]


def client_storm(requests: int, seed: int) -> list[str]:
    """Print the table; what was wrong is given back."""
    report = stormed(requests, seed, judges_figures=True)
    print("| Fault in front | requests | refused clearly | left or cut | violations |\n|---|---|---|---|---|")
    for row in report.rows:
        print("| " + " | ".join(row) + " |")
    return report.faults


def stormed(requests: int, seed: int, *, judges_figures: bool) -> Report:
    """The whole storm through one service. `judges_figures` holds time and memory to their limits."""
    with ground() as (service, sandbox):
        rows, faults = asyncio.run(_run(service, requests, random.Random(seed), judges_figures=judges_figures))
        faults += _left(service, sandbox.world.in_flight, list(sandbox.world.accounts))
        if not service.is_alive or service.terminate() != 0:
            faults.append("the service did not end well")
        return Report(rows, faults + list(odd_words(service)))


async def _run(
    service: Service, requests: int, chance: random.Random, *, judges_figures: bool
) -> tuple[list[list[str]], list[str]]:
    faults: list[str] = []
    calm = await _beside(service, faults, asyncio.create_task(_good_load(service, max(requests // 20, 20))))
    warm = max(round(requests * _WARM_SHARE), 1)
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in client_faults.KINDS}
    await _misbehave(service, warm, chance, counts, faults)
    await asyncio.sleep(1)
    memory, files = service.memory_mb, service.files_open
    storm = asyncio.create_task(_misbehave(service, requests - warm, chance, counts, faults))
    beside = await _beside(service, faults, storm)
    await asyncio.sleep(1)
    rows = [
        [kind, *(f"{seen[name]:,}" for name in ("all", "refused", "left", "wrong"))] for kind, seen in counts.items()
    ]
    grown, opened = service.memory_mb - memory, service.files_open - files
    slowed = statistics.median(beside) / statistics.median(calm)
    rows += [
        ["others beside them", f"{len(beside):,}", f"median {slowed:.2f} × that among as many good clients", "", ""],
        ["memory after it, MB", f"{grown:+.1f}", f"from {memory:.0f}", "", ""],
        ["open files after it", f"{opened:+}", f"from {files}", "", ""],
    ]
    if judges_figures and slowed > MOST_SLOWED:
        faults.append(f"others waited {slowed:.1f} times as long")
    if judges_figures and grown > GROWTH_MB:
        faults.append(f"memory grew by {grown:.1f} MB")
    if opened > CLIENTS:
        faults.append(f"{opened} more files are open")
    return rows, faults


async def _misbehave(
    service: Service, requests: int, chance: random.Random, counts: dict[str, Counter[str]], faults: list[str]
) -> None:
    kinds = list(client_faults.KINDS)
    numbers = iter(range(requests))

    async def worker() -> None:
        for number in numbers:
            kind = kinds[number % len(kinds)]
            wrong = client_faults.KINDS[kind](chance)
            seen = counts[kind]
            seen["all"] += 1
            try:
                status = await client_faults.misbehave(service.port, wrong)
            except (TimeoutError, OSError, ValueError) as error:
                status = -1
                faults.append(f"{kind}: {type(error).__name__} after {wrong.data[:120]!r}")
            has_left = wrong.leaves in ("close", "reset", "after a byte", "write end")
            is_right = status in wrong.expected or (has_left and status == 0)
            seen["left" if status == 0 else "refused"] += is_right
            seen["wrong"] += not is_right
            if not is_right and status != -1:
                faults.append(f"{kind}: status {status} after {wrong.data[:160]!r}")

    await asyncio.gather(*(worker() for _ in range(CLIENTS)))


async def _good_load(service: Service, requests: int) -> None:
    numbers = iter(range(requests))

    async def worker() -> None:
        for number in numbers:
            surface, is_stream = FORMS[number % len(FORMS)]
            await ask(service.port, request_of(surface, body_of(surface, model="m0", is_stream=is_stream)))

    await asyncio.gather(*(worker() for _ in range(CLIENTS)))


async def _beside(service: Service, faults: list[str], others: "asyncio.Task[None]") -> list[float]:
    """How long a good client waits while others do what they do; every answer must be right."""
    took: list[float] = []
    while not others.done():
        surface, is_stream = FORMS[len(took) % len(FORMS)]
        began = time.perf_counter()
        answer = await ask(service.port, request_of(surface, body_of(surface, model="m1", is_stream=is_stream)))
        took.append(time.perf_counter() - began)
        verdict = judge(answer, surface, is_stream=is_stream, text=TEXT)
        if verdict.kind != "answer":
            faults.append(f"a good client beside them: {verdict}")
        await asyncio.sleep(_BESIDE_PAUSE_S)
    await others
    return took


def _left(service: Service, in_flight: "object", accounts: list[str]) -> list[str]:
    until = time.monotonic() + _SETTLE_S
    while time.monotonic() < until and (service.in_flight or any(in_flight(name) for name in accounts)):  # type: ignore[operator]
        time.sleep(0.1)
    found = []
    if held := service.in_flight:
        found.append(f"{held} leases are held")
    if open_now := sum(in_flight(name) for name in accounts):  # type: ignore[operator]
        found.append(f"{open_now} requests are open at the vendors")
    return found
