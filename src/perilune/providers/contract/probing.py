"""Asking one host whether it takes a key: the free read of `perilune add`, told as a value."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from perilune.core.errors import PeriluneError, Problem
from perilune.net.control import ControlClient
from perilune.providers.contract.reading import Binding, Reader, reader_of
from perilune.quota.snapshot import Snapshot

Verdict = Literal["accepted", "no-plan", "throttled", "refused", "forbidden", "not-reached"]

_BY_STATUS: dict[int, Verdict] = {200: "accepted", 401: "refused", 402: "no-plan", 403: "forbidden", 429: "throttled"}
_BY_CODE: dict[str, Verdict] = {
    "PL-401-KEY": "refused",
    "PL-401-HOST": "refused",
    "PL-LOGIN-EXPIRED": "refused",
    "PL-COOKIE-EXPIRED": "refused",
    "PL-402-MEMBER": "no-plan",
    "PL-403-READ": "forbidden",
    "PL-429-READ": "throttled",
    "PL-PARSE": "accepted",
}


class Probed(Struct, frozen=True, kw_only=True):
    """What one host said.

    Shape: `url` and `host` are official ones; `status` None when nothing came back; `snapshot` when the answer was
    understood; `problem` for everything but an understood 200 (an accepted answer of unknown shape has one too).
    """

    host: str
    url: str
    verdict: Verdict
    status: int | None = None
    took_ms: int | None = None
    snapshot: Snapshot | None = None
    problem: Problem | None = None


async def probe(binding: Binding, client: ControlClient, now: datetime, timeout_s: float = 5) -> Probed:
    """Ask the host of `binding` once. Never raises what a host can say; PL-401-HOST before sending is raised."""
    reader = reader_of(binding.plan.id)
    if reader is None:
        raise ValueError(f"{binding.plan.id} has no reading side")
    if binding.source == "web-session":
        return await _probe_session(binding, reader, client, now)
    url = reader.read_url(binding)
    try:
        answer = await client.get(
            url, secret=binding.bound, connect_timeout_s=timeout_s, timeout_s=timeout_s, retry=False
        )
    except PeriluneError as error:
        if error.problem.code in ("PL-401-HOST", "PL-CONFIG-BASEURL"):
            raise
        return Probed(host=binding.host, url=url, verdict="not-reached", problem=error.problem)
    try:
        snapshot, problem = reader.understood(binding, answer, now), None
    except PeriluneError as error:
        snapshot, problem = None, error.problem
    code = problem.code if problem else ""
    return Probed(
        host=binding.host,
        url=url,
        verdict=_BY_CODE.get(code) or _BY_STATUS.get(answer.status, "not-reached"),
        status=answer.status,
        took_ms=answer.took_ms,
        snapshot=snapshot,
        problem=problem,
    )


async def _probe_session(binding: Binding, reader: Reader, client: ControlClient, now: datetime) -> Probed:
    """A web session is tried by the calls it is read with."""
    try:
        snapshot = await reader.read(binding, client, now)
    except PeriluneError as error:
        verdict = _BY_CODE.get(error.problem.code, "not-reached")
        return Probed(host=binding.host, url=binding.base, verdict=verdict, problem=error.problem)
    return Probed(
        host=binding.host, url=binding.base, verdict="accepted", status=200, took_ms=snapshot.took_ms, snapshot=snapshot
    )
