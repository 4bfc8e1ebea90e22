"""A storm: many requests through a running service while something goes wrong, each judged, nothing left behind."""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench._ground import upstream_faults
from bench._ground.asking import FORMS, Verdict, ask, body_of, judge, request_of
from bench._ground.fleet import Service, configuration, scenario
from perilune.sandbox import SandboxThread, running_sandbox

ROUTES = 8
WORKERS = 16
TEXT = "Renamed the helper and moved its test beside it: 月相 ☾ changes, nothing else does; 214 passed."
_SHARE_FAULTY = 0.7
_SETTLE_S = 10.0


@dataclass
class Outcome:
    """What came of a storm. Shape: `kinds` counts verdicts, `faults` tells violations in words."""

    asked: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.asked += other.asked
        self.kinds += other.kinds
        self.codes += other.codes
        self.faults += other.faults

    def note(self, verdict: Verdict, what: str) -> None:
        self.asked += 1
        self.kinds[verdict.kind] += 1
        if verdict.kind == "fault" or verdict.what == "PL-BUG":
            self.faults.append(f"{what}: {verdict.what}")
        elif verdict.what:
            self.codes[verdict.what] += 1


@contextmanager
def ground(*, config: str | None = None, chunks: int | None = None) -> Iterator[tuple[Service, SandboxThread]]:
    """A started service with a home of its own, and the vendors behind it."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_sandbox(scenario(ROUTES, text=TEXT, chunks=chunks)) as sandbox,
    ):
        service = Service(Path(folder) / "home", sandbox.url, config or configuration(ROUTES), ROUTES)
        try:
            service.start()
            yield service, sandbox
        finally:
            service.end()


def upstream_round(kind: str, requests: int, seed: int) -> Outcome:
    """Requests on all surfaces, streamed and not, while the vendors fail in one way (`any`: in all); what is left."""
    outcome = Outcome()
    with ground() as (service, sandbox):
        ids = asyncio.run(_ask_all(service, sandbox, kind, requests, random.Random(seed), outcome))
        sandbox.world.clear_faults()
        outcome.faults += [f"{kind}: {one}" for one in left_over(service, sandbox, ids, requests)]
        if not service.is_alive or service.terminate() != 0:
            outcome.faults.append(f"{kind}: the service did not end well")
        outcome.faults += [f"{kind}: {line}" for line in odd_words(service)]
    return outcome


async def _ask_all(
    service: Service, sandbox: SandboxThread, kind: str, requests: int, chance: random.Random, outcome: Outcome
) -> list[str]:
    numbers = iter(range(requests))
    ids: list[str] = []

    async def worker() -> None:
        for number in numbers:
            surface, is_stream = FORMS[number % len(FORMS)]
            if chance.random() < _SHARE_FAULTY:
                sandbox.world.queue_fault(**upstream_faults.fault(kind, chance))
            body = body_of(surface, model=f"m{chance.randrange(ROUTES)}", is_stream=is_stream)
            answer = await ask(service.port, request_of(surface, body))
            has_garbage = kind in ("garbage line", "any")
            verdict = judge(answer, surface, is_stream=is_stream, text=TEXT, has_garbage=has_garbage)
            ids.append(answer.request_id)
            outcome.note(verdict, f"{kind}, {surface}{', streamed' if is_stream else ''}")

    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    return ids


def left_over(service: Service, sandbox: SandboxThread, ids: list[str], requests: int) -> Iterator[str]:
    """Leases that are still held, requests at the vendors that nobody waits for, and rows that are missing."""
    until = time.monotonic() + _SETTLE_S
    while time.monotonic() < until and (service.in_flight or len(service.ledger_ids()) < requests):
        time.sleep(0.1)
    if service.in_flight:
        yield f"{service.in_flight} leases are held"
    while time.monotonic() < until and any(sandbox.world.in_flight(name) for name in sandbox.world.accounts):
        time.sleep(0.1)
    if open_now := sum(sandbox.world.in_flight(name) for name in sandbox.world.accounts):
        yield f"{open_now} requests are open at the vendors"
    written = Counter(service.ledger_ids())
    if missing := [one for one in ids if one not in written]:
        yield f"{len(missing)} requests without a ledger row"
    if sum(written.values()) != requests or max(written.values(), default=0) > 1:
        yield f"{sum(written.values())} ledger rows for {requests} requests"


def odd_words(service: Service) -> Iterator[str]:
    """What the service said about faults of its own."""
    for line in service.said.splitlines():
        if "Traceback" in line or "fault of ours" in line or "Exception" in line or "never retrieved" in line:
            yield f"the service said: {line[:300]}"
    for file in service.home.rglob("*.log"):
        for line in file.read_text(errors="replace").splitlines():
            if "Traceback" in line or "fault of ours" in line or '"error"' in line:
                yield f"the log says: {line[:300]}"
