"""Finding out what a key is: on the hosts that may be asked, or from what the command line says."""

import asyncio

from msgspec import Struct

from perilune.catalog.plan import Plan, Region
from perilune.config.base_url import check_base_url, official_home
from perilune.core.errors import CredentialError, PeriluneError, UsageError
from perilune.faces.adding.audience import Audience
from perilune.faces.adding.services import AddServices, Choices
from perilune.faces.adding.telling import announcement, failure, probe_lines, result_line
from perilune.monitor.detect import Detection, Target, Tried, detect, targets, with_profile
from perilune.providers.contract.paste import Pasted, classify
from perilune.providers.contract.probing import Probed, probe
from perilune.providers.contract.reading import Binding, other_owner, reader_of


class Found(Struct, frozen=True):
    """What a key belongs to, with what its host said about it."""

    plan: Plan
    region: Region | None
    base_url: str | None = None
    probed: Probed | None = None
    detection: Detection | None = None


def find_home(pasted: Pasted, choices: Choices, services: AddServices, audience: Audience) -> Found:
    """The plan and region of a key.

    Raises: PL-401-ALL, PL-ADD-UNSURE, PL-ADD-AMBIGUOUS, PL-ADD-FOREIGN, PL-403-READ, PL-NET-…; PL-USAGE when what must
    be said was not.
    """
    choices = _with_home_of(choices, services)
    _check_choices(choices, services)
    _check_owner(pasted, choices, services)
    if not choices.is_probed or (choices.plan and reader_of(choices.plan) is None):
        return _as_said(choices, services)
    hosts = _hosts(pasted, choices, services, audience)
    if not hosts:
        raise UsageError.of("PL-USAGE", variant="no_host")
    for line in announcement(hosts, audience.voice):
        audience.note(line)
    detection = asyncio.run(_run(pasted, hosts, services))
    for line in probe_lines(detection.tried, audience.voice):
        audience.note(line)
    is_narrowed = choices.plan is not None or choices.region is not None
    return _settled(detection, pasted, audience, is_narrowed=is_narrowed)


def _with_home_of(choices: Choices, services: AddServices) -> Choices:
    """An official address is its plan and region; any other needs a plan to be said."""
    if choices.base_url is None:
        return choices
    check_base_url(choices.base_url, place="--base-url", account=choices.name or "NAME")
    home = official_home(choices.base_url, services.plans)
    if home is None:
        if choices.plan is None:
            raise UsageError.of("PL-USAGE", variant="needs", command="perilune add --base-url", name="--plan")
        return choices
    return Choices(name=choices.name, plan=home[0].id, region=home[1].id, is_probed=choices.is_probed)


def _check_choices(choices: Choices, services: AddServices) -> None:
    if choices.plan is not None and choices.plan not in services.plans:
        _refuse("--plan", choices.plan, list(services.plans))
    plans = [services.plans[choices.plan]] if choices.plan else list(services.plans.values())
    regions = list(dict.fromkeys(region.id for plan in plans for region in plan.regions))
    if choices.region is not None and regions and choices.region not in regions:
        _refuse("--region", choices.region, regions)
    if choices.plan and services.plans[choices.plan].needs_base_url and choices.base_url is None:
        raise UsageError.of(
            "PL-USAGE", variant="needs", command=f"perilune add --plan {choices.plan}", name="--base-url"
        )


def _check_owner(pasted: Pasted, choices: Choices, services: AddServices) -> None:
    """Raises: PL-401-HOST before anything is sent, for a key that the named plan is known not to own."""
    plan = services.plans[choices.plan] if choices.plan else None
    other = other_owner(plan, pasted.secret) if plan else None
    if plan is not None and other is not None:
        host = choices.base_url or (plan.regions[0].site if plan.regions else plan.label)
        raise CredentialError.of("PL-401-HOST", other=other, host=host, plan=plan.label)


def _refuse(option: str, value: str, known: list[str]) -> None:
    raise UsageError.of("PL-USAGE", variant="choice", option=option, value=value, choices=", ".join(known))


def _as_said(choices: Choices, services: AddServices) -> Found:
    """What the command line says, untried."""
    if choices.plan is None:
        raise UsageError.of("PL-USAGE", variant="needs", command="perilune add --no-probe", name="--plan")
    plan = services.plans[choices.plan]
    region = plan.region(choices.region or "") or (plan.regions[0] if len(plan.regions) == 1 else None)
    if region is None and plan.regions:
        raise UsageError.of("PL-USAGE", variant="needs", command="perilune add --no-probe", name="--region")
    return Found(plan, region, choices.base_url)


def _hosts(pasted: Pasted, choices: Choices, services: AddServices, audience: Audience) -> list[Target]:
    kind = classify(pasted.secret, services.plans.values())
    is_narrowed = choices.plan is not None or choices.region is not None
    if kind.kind == "web-session":
        raise UsageError.of("PL-ADD-FOREIGN", variant="web")
    if kind.kind == "foreign" and not is_narrowed:
        raise UsageError.of("PL-ADD-FOREIGN")
    if kind.kind == "unknown" and not is_narrowed:
        question = audience.voice.say("add.unknown_prefix")
        if not audience.allows(question):
            raise UsageError.of("PL-ADD-FOREIGN", variant="unknown")
    if choices.base_url is not None and choices.plan is not None:
        plan = services.plans[choices.plan]
        region = plan.region(choices.region or "") or plan.regions[0]
        return [Target(plan, region, choices.base_url)]
    allowed = services.configuration().config.probe.hosts
    return targets(services.plans, first=kind.plan, plan=choices.plan, region=choices.region, allowed_hosts=allowed)


async def _run(pasted: Pasted, hosts: list[Target], services: AddServices) -> Detection:
    now = services.now()
    async with services.control_client() as client:

        async def ask_host(binding: Binding, limit_s: float) -> Probed:
            return await probe(binding, client, now, timeout_s=limit_s)

        salt = services.vault.fingerprint_key
        detection = await detect(pasted.secret, hosts, ask_host, salt=salt)
        return await with_profile(detection, pasted.secret, client, salt)


def _settled(detection: Detection, pasted: Pasted, audience: Audience, *, is_narrowed: bool) -> Found:
    if detection.outcome == "ambiguous":
        return _found(_picked(detection, audience), detection)
    if detection.outcome in ("accepted", "probable") and detection.chosen is not None:
        return _found(detection.chosen, detection)
    raise PeriluneError(failure(detection, pasted.removed, audience.voice, is_narrowed=is_narrowed))


def _picked(detection: Detection, audience: Audience) -> Tried:
    """Of several hosts that accept, the one that is picked.

    Raises: PL-ADD-AMBIGUOUS when there is nobody to pick.
    """
    both = detection.with_verdict("accepted")
    say = audience.voice
    picked = audience.picks([result_line(one.target.plan, one.target.region, one.probed.snapshot, say) for one in both])
    if picked is None:
        raise UsageError.of("PL-ADD-AMBIGUOUS", hosts=say.say("add.and").join(one.target.host for one in both))
    return both[picked]


def _found(one: Tried, detection: Detection) -> Found:
    return Found(one.target.plan, one.target.region, one.target.base_url, one.probed, detection)
