"""A service that is ended at random moments under load, and looked into each time."""

import asyncio
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench._ground.asking import FORMS, Answer, Verdict, ask, body_of, judge, request_of
from bench._ground.fleet import Service, configuration, scenario
from bench._ground.storm import TEXT
from perilune.sandbox import SandboxThread, running_sandbox

SIGNALS = ("SIGKILL", "SIGTERM", "SIGTERM, short drain")
CAP = 4
_CLIENTS = 10
_ROUTES = 2
_LONGEST_LIFE_S = 1.8
_MAY_BE_LOST_S = 1.0
_SHORT_DRAIN_S = 0.5
_READINGS = ("latest", "window_samples", "balance_samples")


@dataclass
class Sum:
    """What came of all ends of one kind."""

    answered: int = 0
    under_way: int = 0
    lost: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass
class _Seen:
    """What clients saw of one life: answers that came whole, and what the others got."""

    whole: list[Answer] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    cut: int = 0
    refused: int = 0
    open_now: int = 0
    is_over: bool = False


def of(signal_name: str, times: int) -> int:
    """How often of so many: ends that cut answers take long and need fewer."""
    return max(times // 10, 1) if signal_name.endswith("short drain") else times


def killed(signal_name: str, times: int, seed: int, *, waits: bool = False) -> Sum:
    """End one service so many times, and start it again each time.

    Shape: `waits` ends it when every open request has reached the vendor: a busy machine may not have sent it yet.
    """
    total, chance = Sum(), random.Random(seed)
    is_short = signal_name.endswith("short drain")
    times = of(signal_name, times)
    config = configuration(_ROUTES, cap=CAP, first_s=10, drain_s=_SHORT_DRAIN_S if is_short else 15)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_sandbox(scenario(_ROUTES, text=TEXT)) as sandbox,
    ):
        service = Service(Path(folder) / "home", sandbox.url, config, _ROUTES)
        readings = 0
        try:
            service.start()
            for number in range(times):
                sandbox.world.say(gap_ms=200 if is_short else chance.choice((0, 5, 20)))
                seen = asyncio.run(_life(service, sandbox if waits else None, signal_name, chance, total))
                for line in _examined(service, seen, signal_name, total):
                    total.faults.append(f"{signal_name} {number}: {line}")
                now_readings = sum(service.rows(f"SELECT count(*) FROM {table}")[0][0] for table in _READINGS)
                if now_readings < readings:
                    total.faults.append(f"{signal_name} {number}: {readings - now_readings} readings are gone")
                readings = now_readings
                _wait_for_silence(sandbox)
                service.start()
                for line in _leases_free(service, sandbox):
                    total.faults.append(f"{signal_name} {number}: {line}")
        finally:
            service.end()
    return total


async def _life(
    service: Service, vendors: SandboxThread | None, signal_name: str, chance: random.Random, total: Sum
) -> _Seen:
    """Load until the service is ended; what its clients saw. The times of answers count back from its end."""
    seen = _Seen()
    clients = [asyncio.create_task(_client(service.port, seen, number)) for number in range(_CLIENTS)]
    await asyncio.sleep(chance.uniform(0.05, _LONGEST_LIFE_S))
    total.under_way += seen.open_now
    seen.is_over = True
    while vendors is not None and _under_way(vendors) < seen.open_now:  # noqa: ASYNC110 -- counters, not an event
        await asyncio.sleep(0.01)
    ended_at = asyncio.get_running_loop().time()
    if signal_name == "SIGKILL":
        await asyncio.to_thread(service.kill)
    else:
        status = await asyncio.to_thread(service.terminate)
        if status != 0:
            total.faults.append(f"{signal_name}: exit status {status}")
    await asyncio.gather(*clients)
    total.answered += len(seen.whole)
    seen.whole = [answer._replace(ended_at=ended_at - answer.ended_at) for answer in seen.whole]
    return seen


async def _client(port: int, seen: _Seen, number: int) -> None:
    """One request after the other until the service is being ended."""
    while not seen.is_over:
        number += 1
        surface, is_stream = FORMS[number % len(FORMS)]
        body = body_of(surface, model=f"m{number % _ROUTES}", is_stream=is_stream)
        seen.open_now += 1
        try:
            answer = await ask(port, request_of(surface, body))
        except OSError:
            seen.refused += 1
            return
        finally:
            seen.open_now -= 1
        if answer.is_whole:
            seen.whole.append(answer)
            seen.verdicts.append(judge(answer, surface, is_stream=is_stream, text=TEXT))
        else:
            seen.cut += 1


def _examined(service: Service, seen: _Seen, signal_name: str, total: Sum) -> list[str]:
    """What is wrong with the store that this end left behind, and with what the clients got."""
    found = [f"the store: {word}" for word in service.complaints()]
    is_kill = signal_name == "SIGKILL"
    written = set(service.ledger_ids())
    due = [one for one in seen.whole if one.request_id and (not is_kill or one.ended_at > _MAY_BE_LOST_S)]
    lost = [one for one in due if one.request_id not in written]
    total.lost += len(lost)
    if lost:
        found.append(f"{len(lost)} of {len(due)} rows are missing")
    found += [f"an answer: {one.what}" for one in seen.verdicts if one.kind == "fault" or one.what == "PL-BUG"]
    if not is_kill:
        if seen.cut or seen.refused:
            found.append(f"{seen.cut} answers were cut, {seen.refused} connections reset")
        if signal_name == "SIGTERM":
            found += [f"broken before its time: {one.what}" for one in seen.verdicts if one.kind == "broken"]
    return found


def _under_way(vendors: SandboxThread) -> int:
    return sum(vendors.world.in_flight(name) for name in vendors.world.accounts)


def _wait_for_silence(sandbox: SandboxThread) -> None:
    world = sandbox.world
    world.wait_for(lambda _: not _under_way(sandbox), 20)


def _leases_free(service: Service, sandbox: SandboxThread) -> list[str]:
    """As many at once as the cap allows, right after the start: all must reach the vendor before one is answered."""
    world = sandbox.world
    world.queue_fault(method="POST", hold="headers", count=CAP)
    try:
        return asyncio.run(_asked_at_once(service, sandbox))
    finally:
        world.clear_faults()
        world.release()


async def _asked_at_once(service: Service, sandbox: SandboxThread) -> list[str]:
    request = request_of("chat", body_of("chat", model="m0", is_stream=False))
    asked = [asyncio.create_task(ask(service.port, request)) for _ in range(CAP)]
    found: list[str] = []
    try:
        await asyncio.to_thread(sandbox.world.wait_for, lambda world: world.held == CAP, 30)
    except TimeoutError:
        found.append(f"{sandbox.world.held} of {CAP} leases are free")
    if (in_use := sandbox.world.in_flight("kimi-0")) != CAP:
        found.append(f"{in_use} of {CAP} requests went to the first account")
    sandbox.world.clear_faults()
    sandbox.world.release()
    answers = await asyncio.gather(*asked)
    return found + [f"status {answer.status} behind a start" for answer in answers if answer.status != 200]
