"""One process of a measurement of shared caps: clients that take a lease, hold it for a while, and come again.

`python -m bench._ground.leases BACKEND FOLDER URL CAP CLIENTS SECONDS HOLD_MS`; prints when each lease began and ended,
in nanoseconds of the clock that all processes of a machine share.
"""

import asyncio
import random
import sys
import time
from pathlib import Path

import uvloop

from perilune.gateway.admission import Admission, Lease
from perilune.gateway.admission.port import Places


def opened(backend: str, folder: Path, url: str) -> Places:
    """The places under measurement; with redis each process is a host of its own and shares nothing else."""
    if backend == "locks":
        from perilune.gateway.admission.locks import LockedPlaces

        return LockedPlaces(folder / "run")
    if backend == "rows":
        from perilune.gateway.admission.rows import RowPlaces
        from perilune.store.engine import open_store

        return RowPlaces(open_store(folder / "perilune.sqlite3"))
    from perilune.gateway.admission.memory import MemoryPlaces
    from perilune.gateway.admission.remote import remote_places

    return remote_places(url, MemoryPlaces(), f"{random.getrandbits(64):x}")


async def measured(places: Places, cap: int, clients: int, seconds: float, hold_ms: float) -> tuple[int, list[str]]:
    """Refusals, and the spans of all leases."""
    admission = Admission(places)
    admission.configure("bench", cap)
    spans: list[str] = []
    refused = 0
    until = time.monotonic() + seconds

    async def client() -> None:
        nonlocal refused
        while time.monotonic() < until:
            lease = await admission.acquire("bench", deadline_s=60)
            if not isinstance(lease, Lease):
                refused += 1
                continue
            with lease:
                began = time.monotonic_ns()
                await asyncio.sleep(hold_ms * random.uniform(0.5, 1.5) / 1000)
                spans.append(f"{began} {time.monotonic_ns()}")

    await asyncio.gather(*(client() for _ in range(clients)))
    admission.close()
    return refused, spans


def main() -> None:
    backend, folder, url, cap, clients, seconds, hold_ms = sys.argv[1:]
    places = opened(backend, Path(folder), url)
    print("ready", flush=True)
    sys.stdin.readline()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop that the service runs on
        refused, spans = runner.run(measured(places, int(cap), int(clients), float(seconds), float(hold_ms)))
    print("\n".join([str(refused), *spans]))


if __name__ == "__main__":
    main()
