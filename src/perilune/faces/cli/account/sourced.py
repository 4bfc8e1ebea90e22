"""The credential of an account that is read by a login or a web session."""

from pathlib import Path

from perilune.catalog.plan import Plan, Region
from perilune.config.schema import AccountConfig
from perilune.core.errors import CredentialError
from perilune.faces.adding.services import AddServices
from perilune.net.upstream_map import VARIABLE, parse_upstream
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.sources import SessionReader, Surroundings, login_reader, session_reader
from perilune.quota.sources import ABSENT


def surroundings(services: AddServices) -> Surroundings:
    """This machine, as a source sees it."""
    return Surroundings(
        environment=services.environment,
        home=Path.home(),
        now=services.now(),
        upstream=parse_upstream(services.environment.get(VARIABLE)),
        salt=services.vault.fingerprint_key,
    )


def bind_sourced(account: AccountConfig, plan: Plan, region: Region, services: AddServices) -> Binding:
    """The first credential that the account's sources have beside a key.

    Raises: PL-LOGIN-…, PL-COOKIE-…, PL-401-HOST; PL-CRED-NONE when the plan has no such source.
    """
    logins, sessions = login_reader(plan.id), session_reader(plan.id)
    if account.source in ("auto", "cli-login") and logins is not None:
        try:
            return logins.bind_login(account.name, plan, region, surroundings(services))
        except CredentialError as error:
            if account.source == "auto" and error.problem.code in ABSENT:
                raise CredentialError.of("PL-CRED-NONE", account=account.name) from None
            raise
    found = None
    if account.source == "web-session" and sessions is not None:
        found = _session(account, plan, region, sessions, services)
    if found is None:
        raise CredentialError.of("PL-CRED-NONE", account=account.name)
    return found


def _session(
    account: AccountConfig, plan: Plan, region: Region, sessions: SessionReader, services: AddServices
) -> Binding | None:
    around = surroundings(services)
    if account.web_session and account.cookie_source != "off":
        text = services.vault.read(account.web_session, account.name)
        return sessions.bind_pasted(account.name, plan, region, text, around)
    found = sessions.bind_environment(account.name, plan, region, around)
    if found is not None or account.cookie_source != "auto":
        return found
    return next(sessions.bind_stored(account.name, plan, region, around, browser=account.browser), None)
