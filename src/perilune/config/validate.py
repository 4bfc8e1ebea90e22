"""Rules of a configuration that its types cannot say: names, plans and regions, key references, addresses, routes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from perilune.catalog.plan import Plan
from perilune.config.base_url import check_base_url, official_home, repaired_base_url
from perilune.config.layout import KeyPath, Layout
from perilune.config.notify_rules import notify_problems
from perilune.config.overrides import override_problem
from perilune.config.references import has_reference_shape
from perilune.config.route_rules import rule_problems
from perilune.config.schema import AccountConfig, Config
from perilune.core.addresses import base_url_fault
from perilune.core.errors import ConfigError, Problem
from perilune.core.listen import parse_listen

_NOT_IN_NAMES = frozenset("/\\:,;\"'`$*?<>|[]{}()")

Place = Callable[[KeyPath], str]


class Checked(Struct, frozen=True):
    """A configuration with repaired addresses, what was repaired, and what is wrong."""

    config: Config
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


def check(
    config: Config, plans: Mapping[str, Plan], layout: Layout, file_name: str, implied: Sequence[AccountConfig] = ()
) -> Checked:
    """Everything that is wrong with what a file says, with its line. Routes may name the implied accounts too."""
    place = partial(_place, layout, file_name)
    config, warnings = _repair(config, place)
    known = [account.name for account in (*config.accounts, *implied)]
    problems = [
        *_account_problems(config, plans, place),
        *_gateway_problems(config, known, plans, place),
        *_forge_problems(config, place),
        *_twice(config, place),
        *notify_problems(config, place),
    ]
    return Checked(config, tuple(warnings), tuple(problems))


def is_account_name(name: str) -> bool:
    """Whether an account may be called so: printable, without spaces and without what shells and paths take."""
    return (
        bool(name)
        and name.isprintable()
        and not any(c.isspace() or c in _NOT_IN_NAMES for c in name)
        and name[0] != "-"
    )


def _place(layout: Layout, file_name: str, path: KeyPath) -> str:
    line = layout.line_of(path)
    return file_name if line is None else f"{file_name}:{line}"


def _repair(config: Config, place: Place) -> tuple[Config, list[Problem]]:
    warnings: list[Problem] = []
    accounts: list[AccountConfig] = []
    for index, account in enumerate(config.accounts):
        repaired = repaired_base_url(account.base_url) if account.base_url else account.base_url
        if repaired != account.base_url:
            facts = {"place": place(("accounts", index, "base_url")), "value": account.base_url, "repaired": repaired}
            warnings.append(Problem(code="PL-CONFIG-BASEURL", variant="repaired", facts=facts, account=account.name))
        accounts.append(msgspec.structs.replace(account, base_url=repaired))
    return msgspec.structs.replace(config, accounts=tuple(accounts)), warnings


def _account_problems(config: Config, plans: Mapping[str, Plan], place: Place) -> Iterator[Problem]:
    for index, account in enumerate(config.accounts):
        at = partial(_at, place, index)
        plan = plans.get(account.plan)
        if not is_account_name(account.name):
            yield _value("name_shape", at("name"), "name", account.name)
        if plan is None:
            yield _choice(at("plan"), "plan", account.plan, plans)
        else:
            yield from _region_problems(account, plan, at)
        for field, reference in (("key", account.key), ("web_session", account.web_session)):
            if reference is not None and not has_reference_shape(reference):
                yield Problem(code="PL-CONFIG-VALUE", variant="key", facts={"place": at(field), "key": field})
        yield from _base_url_problems(account, plan, plans, config, at("base_url"))


def _forge_problems(config: Config, place: Place) -> Iterator[Problem]:
    """Secrets written out, and addresses that no token may travel to."""
    for index, forge in enumerate(config.forges):
        for field in ("token", "webhook_secret", "webhook_signing_token"):
            reference = getattr(forge, field)
            if reference is not None and not has_reference_shape(reference):
                at = place(("forges", index, field))
                yield Problem(code="PL-CONFIG-VALUE", variant="key", facts={"place": at, "key": field})
        fault = base_url_fault(forge.base_url) if forge.base_url is not None else None
        if fault is not None:
            yield _value("forge_url", place(("forges", index, "base_url")), "base_url", forge.base_url or "")


def _at(place: Place, index: int, key: str) -> str:
    return place(("accounts", index, key))


def _region_problems(account: AccountConfig, plan: Plan, at: Callable[[str], str]) -> Iterator[Problem]:
    regions = [region.id for region in plan.regions]
    if regions and account.region not in regions and not (account.region == "" and len(regions) == 1):
        yield _choice(at("region"), "region", account.region, regions)


def _base_url_problems(
    account: AccountConfig, plan: Plan | None, plans: Mapping[str, Plan], config: Config, place: str
) -> Iterator[Problem]:
    if account.base_url is None and (plan is None or not plan.needs_base_url):
        return
    try:
        url = check_base_url(
            account.base_url or "", place=place, account=account.name, allow_private=config.gateway.allow_private
        )
    except ConfigError as error:
        yield error.problem
        return
    home = official_home(url, plans)
    if home is not None and (home[0].id, home[1].id) != (account.plan, account.region):
        yield belongs_elsewhere(url, home[0].id, home[1].id, account.name, place)


def belongs_elsewhere(url: str, plan_id: str, region_id: str, account: str, place: str) -> Problem:
    """PL-CONFIG-BASEURL for an official host that stands beside another plan or region: the proper one is offered."""
    facts = {"place": place, "value": url, "plan": plan_id, "region": region_id}
    return Problem(code="PL-CONFIG-BASEURL", variant="official", facts=facts, account=account)


def _gateway_problems(
    config: Config, known: Sequence[str], plans: Mapping[str, Plan], place: Place
) -> Iterator[Problem]:
    if parse_listen(config.gateway.listen) is None:
        yield _value("listen", place(("gateway", "listen")), "listen", config.gateway.listen)
    yield from rule_problems(config, place)
    for number, route in enumerate(config.gateway.routes):
        for index, slot in enumerate(route.slots):
            if slot.account not in known:
                path = ("gateway", "routes", number, "slots", index, "account")
                yield _choice(place(path), "account", slot.account, known)
            here = place(("gateway", "routes", number, "slots", index, "override"))
            problem = None if slot.override is None else override_problem(slot.override, plans, here)
            if problem is not None:
                yield problem


def _twice(config: Config, place: Place) -> Iterator[Problem]:
    yield from _repeated([account.name for account in config.accounts], ("accounts",), place)
    yield from _repeated([forge.name for forge in config.forges], ("forges",), place)
    yield from _repeated([route.name for route in config.gateway.routes], ("gateway", "routes"), place)


def _repeated(names: list[str], path: KeyPath, place: Place) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield _value("twice", place((*path, index, "name")), "name", name)


def _choice(place: str, key: str, value: str, choices: Any) -> Problem:
    facts = {"place": place, "key": key, "value": f"'{value}'", "choices": ", ".join(choices) or "–"}
    return Problem(code="PL-CONFIG-VALUE", variant="choice", facts=facts)


def _value(variant: str, place: str, key: str, value: str) -> Problem:
    return Problem(code="PL-CONFIG-VALUE", variant=variant, facts={"place": place, "key": key, "value": f"'{value}'"})
