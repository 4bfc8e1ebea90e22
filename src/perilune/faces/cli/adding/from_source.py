"""`perilune add --from …` for what is no key: a vendor CLI's login, a pasted web session, a browser's."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from perilune.catalog.plan import Plan, Region
from perilune.config.peers import NAME
from perilune.core.errors import CredentialError, PeriluneError, Problem, UsageError
from perilune.core.secret import Secret
from perilune.faces.adding.saving import check_name, free_name
from perilune.faces.adding.services import AddServices, Choices
from perilune.faces.adding.telling import announcement
from perilune.faces.cli.account.sourced import surroundings
from perilune.faces.cli.adding.fresh_login import found_in_time
from perilune.faces.cli.adding.saving_sourced import duplicate_login, duplicate_session, save_sourced
from perilune.faces.cli.adding.telling_sourced import Added, tell_added, tell_known
from perilune.faces.cli.prompt import ask_hidden
from perilune.faces.cli.session import Session
from perilune.monitor.detect import Target
from perilune.providers.contract.probing import Probed
from perilune.providers.contract.reading import Binding, reader_of
from perilune.providers.contract.sources import login_reader, session_reader
from perilune.quota.snapshot import Snapshot
from perilune.quota.sources import gives_way_to_candidate

BROWSER, TOKEN = "browser", "token"
OpenRegion = Callable[[Region], Iterator[Binding]]


class Sourced(Struct, frozen=True):
    """What a source gave: the credential that was accepted, and what was read with it. No snapshot: not tried."""

    binding: Binding
    snapshot: Snapshot | None = None
    problem: Problem | None = None


def origins(services: AddServices) -> list[str]:
    """Every word that `--from` takes beside `env`, as `perilune add` knows them."""
    return [*_login_plans(services), NAME, TOKEN, f"{BROWSER}[:NAME]"]


def add_from(
    origin: str,
    choices: Choices,
    services: AddServices,
    session: Session,
    *,
    from_stdin: bool = False,
    as_json: bool = False,
) -> int:
    """Find the credential, try it, save its account and tell both.

    Raises: PL-LOGIN-…, PL-COOKIE-…, PL-401-HOST, PL-NET-…; PL-USAGE for an origin there is not.
    """
    kind, _, name = origin.partition(":")
    logins = _login_plans(services)
    if origin in logins:
        return _add_login(logins[origin], choices, services, session, as_json=as_json)
    if kind == BROWSER:
        return _add_stored(name or None, choices, services, session, as_json=as_json)
    if origin == TOKEN:
        return add_session(_pasted(session, from_stdin=from_stdin), choices, services, session, as_json=as_json)
    known = ", ".join(["env", *origins(services)])
    raise UsageError.of("PL-USAGE", variant="choice", option="--from", value=origin, choices=known)


def holds_session(text: str, services: AddServices) -> bool:
    """Whether a paste is a web session of a known plan rather than a key."""
    plan = _session_plan(services, None)
    sessions = session_reader(plan.id) if plan else None
    return plan is not None and sessions is not None and sessions.holds_session(Secret(text), plan)


def add_session(text: str, choices: Choices, services: AddServices, session: Session, *, as_json: bool) -> int:
    """Save a pasted web session in the vault, once the web site of its region has taken it."""
    plan = _demanded(_session_plan(services, choices.plan), choices)
    sessions = session_reader(plan.id)
    if sessions is None:
        raise CredentialError.of("PL-CRED-NONE", variant="env")

    def open_region(region: Region) -> Iterator[Binding]:
        yield sessions.bind_pasted("", plan, region, Secret(text), surroundings(services))

    known = duplicate_session(services, Secret(text))
    if known is not None:
        return tell_known(known, services, session, as_json=as_json)
    found = _find(plan, open_region, choices, services, session)
    return _save(found, choices, services, session, secret=found.binding.secret, cookies="manual", as_json=as_json)


def _add_login(plan: Plan, choices: Choices, services: AddServices, session: Session, *, as_json: bool) -> int:
    logins = login_reader(plan.id)
    if logins is None:
        raise CredentialError.of("PL-CRED-NONE", variant="env")

    def open_region(region: Region) -> Iterator[Binding]:
        yield logins.bind_login("", plan, region, surroundings(services))

    found = _find(plan, open_region, choices, services, session)
    known = duplicate_login(services, plan, found.binding.region)
    if known is not None:
        return tell_known(known, services, session, as_json=as_json)
    return _save(found, choices, services, session, as_json=as_json)


def _add_stored(
    browser: str | None, choices: Choices, services: AddServices, session: Session, *, as_json: bool
) -> int:
    plan = _demanded(_session_plan(services, choices.plan), choices)
    sessions = session_reader(plan.id)
    if sessions is None:
        raise CredentialError.of("PL-CRED-NONE", variant="env")

    def open_region(region: Region) -> Iterator[Binding]:
        yield from sessions.bind_stored("", plan, region, surroundings(services), browser=browser)

    found = found_in_time(lambda: _find(plan, open_region, choices, services, session), session)
    return _save(found, choices, services, session, cookies="auto", browser=browser, as_json=as_json)


def _find(plan: Plan, open_region: OpenRegion, choices: Choices, services: AddServices, session: Session) -> Sourced:
    """The first credential that its region's host takes. A credential that names its region is asked only there."""
    regions = [region for region in plan.regions if choices.region in (None, region.id)]
    if not regions:
        known = ", ".join(region.id for region in plan.regions)
        raise UsageError.of("PL-USAGE", variant="choice", option="--region", value=choices.region, choices=known)
    problems: list[Problem] = []
    candidates = [binding for region in regions for binding in _opened(open_region, region, problems)]
    if not candidates:
        raise CredentialError(_told(problems))
    if not choices.is_probed:
        return Sourced(candidates[0])
    targets = list({binding.host: Target(plan, binding.region, binding.base_url) for binding in candidates}.values())
    for line in announcement(targets, session.voice):
        session.note(line)
    try:
        return asyncio.run(_try(candidates, services, problems))
    except PeriluneError as error:
        named = {**error.problem.facts, "account": session.voice.say("add.this_session")}
        raise type(error)(replace(error.problem, facts=named, account=None)) from None


def _opened(open_region: OpenRegion, region: Region, problems: list[Problem]) -> list[Binding]:
    found: list[Binding] = []
    try:
        found.extend(open_region(region))
    except CredentialError as error:
        problems.append(error.problem)
    return found


async def _try(candidates: Sequence[Binding], services: AddServices, problems: list[Problem]) -> Sourced:
    async with services.control_client() as client:
        for binding in candidates:
            reader = reader_of(binding.plan.id)
            if reader is None:
                return Sourced(binding)
            try:
                return Sourced(binding, await reader.read(binding, client, services.now()))
            except PeriluneError as error:
                problems.insert(0, error.problem)
                if not gives_way_to_candidate(error.problem.code):
                    raise
    raise CredentialError(problems[0])


def _save(
    found: Sourced,
    choices: Choices,
    services: AddServices,
    session: Session,
    *,
    secret: Secret | None = None,
    cookies: str | None = None,
    browser: str | None = None,
    as_json: bool,
) -> int:
    binding = found.binding
    taken = [account.name for account in services.configuration().config.accounts]
    if choices.name is not None:
        check_name(choices.name, taken)
    name = free_name(choices.name, binding.plan.id, taken)
    fields = {"source": binding.source, "cookie_source": cookies, "browser": browser}

    def keep_reading() -> None:
        """A running service reads an account as soon as it sees one; it is not to ask what has just been answered."""
        if found.snapshot is not None:
            read = Probed(host=binding.host, url=binding.base, verdict="accepted", status=200, snapshot=found.snapshot)
            services.keep_reading(name, binding.secret, read)

    save_sourced(services, name, binding.plan, binding.region, fields, secret, keep_reading)
    tell_added(Added(name, binding, found.snapshot), session, as_json=as_json)
    return 0


def _told(problems: Sequence[Problem]) -> Problem:
    """Of the regions' problems the one that says most: not the credential of the other region, not an absence."""
    ranked = sorted(problems, key=lambda problem: ("PL-COOKIE-NONE", "PL-401-HOST").count(problem.code))
    return ranked[0]


def _login_plans(services: AddServices) -> dict[str, Plan]:
    return {plan.known_as["cli"]: plan for plan in services.plans.values() if "cli" in plan.known_as}


def _session_plan(services: AddServices, plan_id: str | None) -> Plan | None:
    plans = (plan for plan in services.plans.values() if plan_id in (None, plan.id))
    return next((plan for plan in plans if session_reader(plan.id) is not None), None)


def _demanded(plan: Plan | None, choices: Choices) -> Plan:
    if plan is None:
        raise UsageError.of("PL-USAGE", variant="choice", option="--plan", value=choices.plan, choices="–")
    return plan


def _pasted(session: Session, *, from_stdin: bool) -> str:
    if from_stdin or not session.is_interactive:
        return session.stdin.read()
    return ask_hidden(session, session.voice.say("add.paste_session"))
