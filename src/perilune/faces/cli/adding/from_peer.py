"""`perilune add --from codexbar`: keys that another program's configuration holds become accounts of ours."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from perilune.catalog.plan import Plan, Region
from perilune.config.implied import region_word
from perilune.config.peers import NAME, Entry, read_peer
from perilune.core.errors import CredentialError, PeriluneError
from perilune.faces.adding.services import AddServices, Choices
from perilune.faces.cli.adding.from_environment import worst
from perilune.faces.cli.finding import home_short, skipped_by_peer
from perilune.faces.cli.prompt import confirm
from perilune.faces.cli.session import Session

_ANY_REGION = "intl"


class Offer(Struct, frozen=True):
    """One key of that file with the plan and region it is bound to."""

    entry: Entry
    plan: Plan
    region: Region


def add_from_peer(choices: Choices, services: AddServices, session: Session) -> int:
    """Offer each key of the file and save those that are wanted; without a terminal all are.

    Each is tried on the one host that its entry names. What no plan takes by itself is named with the way to take it.
    Raises: PL-CRED-NONE when there is none.
    """
    for name, plan in skipped_by_peer(session):
        session.note(session.voice.say("discover.skipped", name=name, plan=plan))
    offered = [one for one in offers(session.environment, services) if choices.plan in (None, one.plan.id)]
    if not offered:
        raise CredentialError.of("PL-CRED-NONE", variant="peer")
    return worst([_add(one, choices, services, session) for one in offered if _is_wanted(one, session)])


def offers(environment: Mapping[str, str], services: AddServices) -> list[Offer]:
    """The keys of the file that a plan takes, in its order."""
    plans = {one.known_as[NAME]: one for one in services.plans.values() if NAME in one.known_as and one.is_detectable}
    found = read_peer(environment, Path.home(), {name: plan.id for name, plan in plans.items()})
    bound = ((entry, plans[entry.id], _region(entry, plans[entry.id])) for entry in (found.entries if found else ()))
    return [Offer(entry, plan, region) for entry, plan, region in bound if region is not None]


def _region(entry: Entry, plan: Plan) -> Region | None:
    """The region an entry's word means, else the one that keys without a word are of."""
    return plan.region(region_word(entry.region) or _ANY_REGION) or next(iter(plan.regions), None)


def _is_wanted(one: Offer, session: Session) -> bool:
    place = session.voice.say("add.place", region=one.region.id, site=one.region.site)
    file = read_peer(session.environment, Path.home(), {})
    facts = {"name": one.entry.id, "plan": one.plan.label, "place": place, "key": one.entry.secret.masked()}
    session.note(session.voice.say("add.offer", file=home_short(file.file) if file else "", **facts))
    return not session.is_interactive or confirm(session, session.voice.say("add.offer_take"))


def _add(one: Offer, choices: Choices, services: AddServices, session: Session) -> int:
    """One refused key does not keep the others from being saved."""
    from perilune.faces.cli.add import add_text

    bound = replace(choices, plan=one.plan.id, region=one.region.id, name=None)
    try:
        return add_text(one.entry.secret.reveal(), bound, services, session)
    except PeriluneError as error:
        return session.fail(error.problem)
