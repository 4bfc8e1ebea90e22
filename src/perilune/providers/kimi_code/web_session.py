"""Sessions of the vendor's web site as credentials: pasted, or set in the environment."""

from collections.abc import Iterator, Mapping

from perilune.catalog.plan import Plan, Region
from perilune.core.errors import CredentialError, PeriluneError, Problem
from perilune.core.keys import clean_key
from perilune.core.secret import Secret
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.sources import Surroundings
from perilune.providers.kimi_code.pasted import PastedSession, session_in
from perilune.providers.kimi_code.web_read import enriched, enrichment

__all__ = [
    "bind_environment",
    "bind_pasted",
    "bind_session",
    "bind_stored",
    "enriched",
    "enrichment",
    "holds_session",
    "variable_set",
]

VARIABLES = ("KIMI_MANUAL_COOKIE", "KIMI_AUTH_TOKEN", "kimi_auth_token")


def bind_pasted(account: str, plan: Plan, region: Region, text: Secret, around: Surroundings) -> Binding:
    """A pasted session as the credential of an account; one that is over is not sent.

    Raises: PL-COOKIE-SHAPE, PL-COOKIE-EXPIRED; PL-401-HOST for a session of another region.
    """
    try:
        session = session_in(text, plan)
    except CredentialError as error:
        raise _problem(error.problem, account, region) from None
    return bind_session(account, plan, region, session, around)


def holds_session(text: Secret, plan: Plan) -> bool:
    """Whether a paste is a web session in one of its known forms; a refresh token is one that is refused later."""
    try:
        session_in(text, plan)
    except CredentialError as error:
        return error.problem.variant == "refresh"
    return True


def bind_environment(account: str, plan: Plan, region: Region, around: Surroundings) -> Binding | None:
    """The session that the environment holds, None where it holds none. Raises as `bind_pasted`."""
    found = variable_set(around.environment)
    if found is None:
        return None
    name, text = found
    try:
        return bind_pasted(account, plan, region, text, around)
    except CredentialError as error:
        if error.problem.code != "PL-COOKIE-SHAPE" or error.problem.variant:
            raise
        facts = {"name": name, "site": region.site}
        raise CredentialError(Problem(code="PL-COOKIE-SHAPE", variant="env", facts=facts, account=account)) from None


def bind_stored(
    account: str, plan: Plan, region: Region, around: Surroundings, *, browser: str | None = None
) -> Iterator[Binding]:
    """Sessions of the vendor's desktop program and of browsers, each store opened only when it is asked for.

    Raises: PL-COOKIE-… at the end, when there was none.
    """
    from perilune.providers.kimi_code.stored_session import stored_binding, stored_sessions  # brings cryptography

    for _, session in stored_sessions(account, plan, region, around, browser):
        yield stored_binding(account, plan, region, around, session)


def variable_set(environment: Mapping[str, str]) -> tuple[str, Secret] | None:
    """The first variable that holds something, and what it holds."""
    return next(((name, Secret(environment[name])) for name in VARIABLES if clean_key(environment.get(name, ""))), None)


def bind_session(account: str, plan: Plan, region: Region, session: PastedSession, around: Surroundings) -> Binding:
    """A session as a credential bound to the web host of its region. Raises: PL-COOKIE-EXPIRED, PL-401-HOST."""
    if session.region not in (None, region.id):
        own = plan.region(session.region or "")
        facts = {"host": region.site, "bound": own.site if own else ""}
        raise CredentialError(Problem(code="PL-401-HOST", variant="session", facts=facts, account=account))
    if session.claims.is_expired(around.now):
        told: dict[str, object] = {"site": region.site, "expired_at": session.claims.expires_at}
        raise CredentialError(Problem(code="PL-COOKIE-EXPIRED", facts=told, account=account))
    return Binding(
        account=account,
        plan=plan,
        region=region,
        secret=session.token,
        base_url=region.web,
        source="web-session",
        salt=around.salt,
    )


def _problem(problem: Problem, account: str, region: Region) -> PeriluneError:
    facts = {**problem.facts, "site": region.site}
    return CredentialError(Problem(code=problem.code, variant=problem.variant, facts=facts, account=account or None))
