"""Trying the key of an account on its own host, with free calls."""

import asyncio
from collections.abc import Iterator, Sequence

from perilune.catalog.models import closest
from perilune.config.schema import AccountConfig, SlotConfig
from perilune.core.errors import PeriluneError, Problem
from perilune.core.messages import Voice
from perilune.core.width import pad, width, wrap
from perilune.faces.adding.services import AddServices
from perilune.gateway.trial import Trial
from perilune.providers.contract.probing import Probed, probe
from perilune.providers.contract.reading import Binding, reader_of
from perilune.quota.drift import lost_windows

_LABEL_COLUMN = 13
_RIGHT_COLUMN = 73
_COLUMNS = 80
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


def unlisted(models: Sequence[str], slots: Sequence[SlotConfig], account: AccountConfig, host: str) -> Problem | None:
    """A model that the account's slots name and its own list does not, with the closest name; None when all are there.

    Some vendors answer under another name what they do not know, so that only the list tells.
    """
    named_models = (slot.model for slot in slots if slot.account == account.name)
    missing = next((model for model in named_models if model is not None and model not in models), None)
    if missing is None or not models:
        return None
    near = closest(missing, models)
    facts = {"host": host, "model": missing, "account": account.name, "closest": near[0] if near else ""}
    return Problem(code="PL-404-MODEL", variant="" if near else "ALONE", facts=facts, account=account.name)


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
        total = max(len(snapshot.windows), understood + lost_windows(snapshot.drift))
        mark = "✓" if understood == total else "!"
        yield _line(mark, say("accounts.windows"), say("accounts.understood", known=understood, total=total))
    if snapshot.balance is not None:
        yield _line("✓", say("accounts.balance"), say("accounts.balance_read", currency=snapshot.balance.currency))
    if snapshot.models:
        among = default_model is not None and default_model in snapshot.models
        message_id = "accounts.models_among" if among else "accounts.models_count"
        text = say(message_id, count=len(snapshot.models), model=default_model)
        yield _line("✓", say("accounts.models"), text)


def trial_lines(trial: Trial, columns: int, voice: Voice) -> Iterator[str]:
    """What one real request came to."""
    say = voice.say
    if trial.verdict != "client_gated":
        route = say("accounts.route", surface=trial.surface)
        parts = [route, *_trial_parts(trial, voice)]
        yield _line("✓" if trial.verdict == "ok" else "!", say("accounts.inference"), say("accounts.comma").join(parts))
    if trial.verdict == "client_gated" or (trial.verdict == "ok" and trial.lists_agents):
        room = min(columns, _COLUMNS) - _LABEL_COLUMN
        first, *rest = (line for said in say("accounts.agents_only").split("\n") for line in wrap(said, room))
        yield _line("!", say("accounts.client"), first)
        yield from (" " * _LABEL_COLUMN + line for line in rest)


def _trial_parts(trial: Trial, voice: Voice) -> Iterator[str]:
    match trial.verdict:
        case "ok":
            if trial.tokens is not None:
                yield voice.say("accounts.tokens", count=trial.tokens)
            if trial.first_content_ms is not None:
                seconds = f"{trial.first_content_ms / 1000:.1f}"
                yield voice.say("accounts.first_token", seconds=seconds)
        case "rate_limited":
            yield voice.say("accounts.throttled")
        case "slow":
            yield voice.say("accounts.slow")
        case "quota":
            yield voice.say("accounts.spent")
        case _:
            yield voice.say("accounts.unanswered")


def _line(mark: str, label: str, text: str, right: str = "") -> str:
    left = pad(f"{mark} {label}", _LABEL_COLUMN) + text
    return left + right.rjust(max(_RIGHT_COLUMN - width(left), len(right) + 1)) if right else left
