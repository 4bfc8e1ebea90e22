"""Accounts that the environment implies, as its users already set it. Nothing of them is saved."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from perilune.catalog.plan import Plan
from perilune.config.base_url import check_base_url, official_home
from perilune.config.schema import AccountConfig
from perilune.core.errors import Problem
from perilune.core.keys import clean_key

_REGION_WORDS = {
    "intl": "intl",
    "international": "intl",
    "global": "intl",
    "ai": "intl",
    "cn": "cn",
    "china": "cn",
    "mainland": "cn",
    "mainland-cn": "cn",
}


class Implied(Struct, frozen=True):
    """The implied accounts, and what was strange about their variables."""

    accounts: tuple[AccountConfig, ...] = ()
    warnings: tuple[Problem, ...] = ()


def region_word(text: str) -> str | None:
    """The region that a word means, in any case and one pair of quotes; None for an unknown word."""
    return _REGION_WORDS.get(clean_key(text).lower())


def key_variable(plan: Plan, environment: Mapping[str, str]) -> str | None:
    """The first variable of a plan that holds a key."""
    return next((name for name in plan.environment.keys if clean_key(environment.get(name, ""))), None)


def implied_accounts(
    environment: Mapping[str, str], plans: Mapping[str, Plan], written: Sequence[AccountConfig] = ()
) -> Implied:
    """One account `PLAN-env` for each plan whose key the environment holds and no written account refers to.

    A plan that is opt-in implies none: its key is taken when the plan is named.

    Raises: PL-CONFIG-BASEURL when a plan's address variable breaks the rules.
    """
    names, references = {account.name for account in written}, {account.key for account in written}
    accounts: list[AccountConfig] = []
    warnings: list[Problem] = []
    for plan in plans.values():
        variable = key_variable(plan, environment)
        name = f"{plan.id}-env"
        if variable is None or plan.is_opt_in or f"env:{variable}" in references or name in names:
            continue
        base_url = _base_url(plan, environment)
        region, warning = _region(plan, environment, base_url)
        warnings += [warning] if warning else []
        own = (
            base_url
            if base_url and official_home(base_url, plans, environment.get("PERILUNE_UPSTREAM")) is None
            else None
        )
        accounts.append(AccountConfig(name=name, plan=plan.id, region=region, key=f"env:{variable}", base_url=own))
    return Implied(tuple(accounts), tuple(warnings))


def _base_url(plan: Plan, environment: Mapping[str, str]) -> str | None:
    variable = plan.environment.base_url
    text = clean_key(environment.get(variable, "")) if variable else ""
    return check_base_url(text, place=str(variable)) if text else None


def _region(plan: Plan, environment: Mapping[str, str], base_url: str | None) -> tuple[str, Problem | None]:
    default = plan.environment.default_region or (plan.regions[0].id if plan.regions else "")
    home = official_home(base_url, {plan.id: plan}, environment.get("PERILUNE_UPSTREAM")) if base_url else None
    if home is not None:
        return home[1].id, None
    variable = plan.environment.region
    text = clean_key(environment.get(variable, "")) if variable else ""
    region = region_word(text) if text else default
    if region is not None and plan.region(region):
        return region, None
    facts = {"place": variable, "key": "region", "value": f"'{text}'", "choices": ", ".join(r.id for r in plan.regions)}
    return default, Problem(code="PL-CONFIG-VALUE", variant="choice", facts=facts)
