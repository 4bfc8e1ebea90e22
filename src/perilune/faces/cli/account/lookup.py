"""Finding an account by name, and its credential as far as it may be shown."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from perilune.catalog.plan import Plan, Region
from perilune.config.load import Loaded
from perilune.config.schema import AccountConfig
from perilune.core.errors import CredentialError, PeriluneError, UsageError
from perilune.core.messages import Voice
from perilune.core.nearest import nearest
from perilune.faces.adding.services import AddServices
from perilune.faces.cli.session import Session
from perilune.quota.document import AccountDocument, StatusDocument
from perilune.quota.held import Held

if TYPE_CHECKING:
    from perilune.providers.contract.reading import Binding

_SHOWN_WITHOUT_ASKING = ("vault:", "env:", "file:")


class Monitoring(Protocol):
    """What the store knows."""

    def status(self, names: Sequence[str], voice: Voice) -> StatusDocument: ...
    def held(self) -> Mapping[str, Held]: ...


class StatusServices(Protocol):
    """What looking at accounts needs beside adding."""

    @property
    def monitoring(self) -> Monitoring: ...


def find_account(name: str, loaded: Loaded) -> AccountConfig:
    """The account of that name.

    Raises: PL-ACCOUNT-NAME with the nearest, PL-ACCOUNT-NONE when there is none at all.
    """
    found = next((account for account in loaded.config.accounts if account.name == name), None)
    if found is not None:
        return found
    if not loaded.config.accounts:
        raise CredentialError.of("PL-ACCOUNT-NONE")
    close = nearest(name, [account.name for account in loaded.config.accounts])
    raise UsageError.of("PL-ACCOUNT-NAME", variant="unknown" if close else "unknown_far", name=name, nearest=close)


def find_written(name: str, loaded: Loaded) -> AccountConfig:
    """The account of that name, when it stands in the configuration file and so can be changed.

    Raises: PL-ACCOUNT-NAME for accounts that the environment implies.
    """
    account = find_account(name, loaded)
    if loaded.origins.get(name) != "file":
        variable = (account.key or "").removeprefix("env:")
        raise UsageError.of("PL-ACCOUNT-NAME", variant="implied", name=name, variable=variable)
    return account


def region_of(account: AccountConfig, plan: Plan) -> Region | None:
    """The account's region; the only one where a plan has one."""
    return plan.region(account.region) or (plan.regions[0] if len(plan.regions) == 1 else None)


def masked_key(account: AccountConfig, services: AddServices) -> str:
    """Prefix and last four characters; `–` where there is none, it cannot be read, or a program would have to run."""
    if not (account.key or "").startswith(_SHOWN_WITHOUT_ASKING):
        return "–"
    try:
        return services.vault.read(account.key or "", account.name).masked()
    except PeriluneError:
        return "–"


def bind(account: AccountConfig, services: AddServices) -> "Binding":
    """The account's credential bound to its plan, region and address.

    Raises: PL-CRED-NONE, PL-SECRET-READ, PL-401-SHAPE; PL-LOGIN-… and PL-COOKIE-… of other sources.
    """
    from perilune.providers.contract.reading import Binding

    plan = services.plans[account.plan]
    region = region_of(account, plan)
    if region is not None and (account.key is None or account.source in ("cli-login", "web-session")):
        from perilune.faces.cli.account.sourced import bind_sourced

        return bind_sourced(account, plan, region, services)
    if account.key is None or region is None:
        raise CredentialError.of("PL-CRED-NONE", account=account.name)
    return Binding(
        account=account.name,
        plan=plan,
        region=region,
        secret=services.vault.read(account.key, account.name),
        base_url=account.base_url,
        salt=services.vault.fingerprint_key,
    )


def stored(session: Session) -> dict[str, AccountDocument]:
    """What the store last knew, by account, without any call."""
    services: StatusServices = session.workbench
    return {account.name: account for account in services.monitoring.status((), session.voice).accounts}


def models_of(name: str, session: Session) -> Sequence[str]:
    """The models that an account offered when it was last asked."""
    services: StatusServices = session.workbench
    held = services.monitoring.held().get(name)
    return held.snapshot.models if held and held.snapshot else ()
