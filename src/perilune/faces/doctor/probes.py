"""Connections without a key: does a host answer, how fast, what is its time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct

from perilune.core.addresses import host_of
from perilune.core.errors import PeriluneError, Problem
from perilune.net.control import ControlClient

_LIMIT_S = 5.0


class Probe(Struct, frozen=True, kw_only=True):
    """What came of one connection.

    Shape: `address` is as it was asked for; `problem` is why nothing answered. `ahead_s` is our clock against the
    answer's `Date` header, None where it carried none. Units: milliseconds and seconds.
    """

    address: str
    host: str
    plan: str
    took_ms: int
    ahead_s: float | None = None
    problem: Problem | None = None


def probe_hosts(client: ControlClient, addresses: Mapping[str, str], clock: Callable[[], datetime]) -> list[Probe]:
    """Connect to all of them side by side."""

    async def all_of_them() -> list[Probe]:
        async with client:
            client.open()  # what importing a library takes is no host's
            return list(
                await asyncio.gather(*(_one(client, address, plan, clock) for address, plan in addresses.items()))
            )

    return asyncio.run(all_of_them())


async def _one(client: ControlClient, address: str, plan: str, clock: Callable[[], datetime]) -> Probe:
    host, began, problem, ahead_s = host_of(address), time.perf_counter(), None, None
    try:
        parts = urlsplit(address)
        root = f"{parts.scheme}://{parts.netloc}/"
        answer = await client.get(root, connect_timeout_s=_LIMIT_S, timeout_s=_LIMIT_S, retry=False)
        if answer.server_date is not None:
            ahead_s = (clock() - answer.server_date).total_seconds()
    except PeriluneError as error:
        if error.problem.code.startswith("PL-NET-") and error.problem.code != "PL-NET-REDIRECT":
            problem = error.problem  # any answer at all, also one that leads elsewhere, shows that the way is open
    took_ms = round((time.perf_counter() - began) * 1000)
    return Probe(address=address, host=host, plan=plan, took_ms=took_ms, ahead_s=ahead_s, problem=problem)
