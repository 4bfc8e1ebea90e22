"""`perilune add --from env`: keys of the environment become saved accounts that go on reading the variable."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from perilune.catalog.plan import Plan
from perilune.config.implied import implied_accounts, key_variable
from perilune.core.errors import CredentialError, PeriluneError
from perilune.faces.adding.services import AddServices, Choices
from perilune.faces.cli.session import Session


def variables(services: AddServices, environment: Mapping[str, str]) -> list[tuple[Plan, str]]:
    """The plans whose key the environment holds and no account refers to, with the variable."""
    written = [
        account
        for account in services.configuration().config.accounts
        if services.configuration().origins.get(account.name) == "file"
    ]
    implied = {account.plan for account in implied_accounts(environment, services.plans, written).accounts}
    references = {account.key for account in written}
    named = [plan for plan in services.plans.values() if plan.id in implied or plan.is_opt_in]
    found = ((plan, key_variable(plan, environment)) for plan in named)
    return [(plan, variable) for plan, variable in found if variable and f"env:{variable}" not in references]


def add_from_environment(choices: Choices, services: AddServices, session: Session) -> int:
    """Save an account for each key the environment holds. The configuration names the variable, the key is not copied.

    A plan that is opt-in is left out unless it is the one that was named. Raises: PL-CRED-NONE when there is none.
    """
    there = variables(services, session.environment)
    found = [one for one in there if (one[0].id == choices.plan if choices.plan else not one[0].is_opt_in)]
    if not found:
        raise CredentialError.of("PL-CRED-NONE", variant="env")
    return worst([add_one(plan, variable, choices, services, session) for plan, variable in found])


def add_one(plan: Plan, variable: str, choices: Choices, services: AddServices, session: Session) -> int:
    """One refused key does not keep the others from being saved."""
    from perilune.faces.cli.add import add_text

    try:
        text = session.environment[variable]
        return add_text(text, replace(choices, plan=plan.id), services, session, reference=f"env:{variable}")
    except PeriluneError as error:
        return session.fail(error.problem)


def worst(statuses: Sequence[int]) -> int:
    """The most severe exit status: 4 over 5 over 69 over 1, 0 when all is well."""
    order = (4, 5, 69, 2, 1, 0)
    return min(statuses, key=order.index, default=0)
