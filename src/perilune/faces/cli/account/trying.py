"""Trying the key of an account on its own host, with free calls."""

import asyncio
from collections.abc import Iterator

from perilune.core.errors import PeriluneError, Problem
from perilune.core.messages import Voice
from perilune.core.width import pad, width
from perilune.faces.adding.services import AddServices
from perilune.providers.contract.probing import Probed, probe
from perilune.providers.contract.reading import Binding, reader_of

_LABEL_COLUMN = 13
_RIGHT_COLUMN = 73
_FREE_CALL_S = 8.0
_USABLE = ("accepted", "no-plan", "throttled")


def try_binding(binding: Binding, services: AddServices) -> Probed:
    """What the bound host says to the key, with what its profile calls add."""
    return asyncio.run(_try(binding, services))


async def _try(binding: Binding, services: AddServices) -> Probed:
    async with services.control_client() as client:
        probed = await probe(binding, client, services.now(), timeout_s=_FREE_CALL_S)
        reader = reader_of(binding.plan.id)
        if reader is None or probed.snapshot is None:
            return probed
        snapshot = await reader.profile(binding, client, probed.snapshot)
    return Probed(
        host=probed.host,
        url=probed.url,
        verdict=probed.verdict,
        status=probed.status,
        took_ms=probed.took_ms,
        snapshot=snapshot,
        problem=probed.problem,
    )


def demand_usable(binding: Binding, services: AddServices) -> Probed:
    """What the host says, when the key may be kept.

    Raises: what is wrong with it, when it was refused, forbidden or not reached.
    """
    probed = try_binding(binding, services)
    if probed.verdict not in _USABLE and probed.problem is not None:
        raise PeriluneError(named(probed.problem, binding.account))
    return probed


def named(problem: Problem, account: str) -> Problem:
    """The problem as that of an account."""
    facts = {**problem.facts, "account": account}
    return Problem(
        code=problem.code,
        variant=problem.variant,
        facts=facts,
        words=problem.words,
        request_id=problem.request_id,
        tried=problem.tried,
        retry_at=problem.retry_at,
        account=account,
    )


def report_lines(probed: Probed, default_model: str | None, voice: Voice) -> Iterator[str]:
    """What was found, one check a line."""
    say = voice.say
    accepted = say("accounts.accepted_by", host=probed.host)
    yield _line("✓", say("accounts.key"), accepted, f"{probed.took_ms or 0} ms")
    snapshot = probed.snapshot
    if snapshot is None:
        return
    if snapshot.windows:
        understood = len([window for window in snapshot.windows if window.used_ratio is not None])
        total = max(len(snapshot.windows), understood) + len(snapshot.drift)
        mark = "✓" if understood == total else "!"
        yield _line(mark, say("accounts.windows"), say("accounts.understood", known=understood, total=total))
    if snapshot.balance is not None:
        yield _line("✓", say("accounts.balance"), say("accounts.balance_read", currency=snapshot.balance.currency))
    if snapshot.models:
        among = default_model is not None and default_model in snapshot.models
        message_id = "accounts.models_among" if among else "accounts.models_count"
        text = say(message_id, count=len(snapshot.models), model=default_model)
        yield _line("✓", say("accounts.models"), text)


def _line(mark: str, label: str, text: str, right: str = "") -> str:
    left = pad(f"{mark} {label}", _LABEL_COLUMN) + text
    return left + right.rjust(max(_RIGHT_COLUMN - width(left), len(right) + 1)) if right else left
