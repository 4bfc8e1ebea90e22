"""Saving an account that is read by a login or a web session."""

from collections.abc import Callable, Mapping

from perilune.catalog.plan import Plan, Region
from perilune.config.edit import append_table
from perilune.config.file import edit_file
from perilune.config.load import parse
from perilune.core.errors import CredentialError
from perilune.core.secret import Secret
from perilune.faces.adding.saving import check_name
from perilune.faces.adding.services import AddServices


def save_sourced(
    services: AddServices,
    name: str,
    plan: Plan,
    region: Region,
    fields: Mapping[str, object],
    secret: Secret | None = None,
    before: Callable[[], None] = lambda: None,
) -> None:
    """Add the account to the configuration; a session that was pasted goes into the vault first.

    `before` is done once the name is sure and before anybody can see the account.
    """
    file = services.paths.config_file
    place = f"{name}.web"
    reference = None if secret is None else services.vault.store(place, secret)
    whole: dict[str, object] = {"name": name, "plan": plan.id, "region": region.id, **fields, "web_session": reference}
    written = {field: value for field, value in whole.items() if value}

    def edit(text: str) -> str:
        check_name(name, [account["name"] for account in parse(text, file.name).get("accounts", [])])
        before()
        return append_table(text, ("accounts",), written)

    try:
        edit_file(file, edit)
    except BaseException:
        if reference is not None:
            services.vault.remove(place)
        raise


def duplicate_login(services: AddServices, plan: Plan, region: Region) -> str | None:
    """The saved account that is read by the same program's login."""
    accounts = services.configuration().config.accounts
    same = (a.name for a in accounts if (a.plan, a.region, a.source) == (plan.id, region.id, "cli-login"))
    return next(same, None)


def duplicate_session(services: AddServices, text: Secret) -> str | None:
    """The saved account whose kept session stands in this paste."""
    for account in services.configuration().config.accounts:
        if not account.web_session:
            continue
        try:
            kept = services.vault.read(account.web_session, account.name)
        except CredentialError:
            continue  # an unreadable session is not this one
        if kept.reveal() in text.reveal():
            return account.name
    return None
