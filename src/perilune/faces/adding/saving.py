"""Saving an account: its key in the vault, its entry in the configuration."""

from collections.abc import Callable, Collection, Mapping

from perilune.catalog.plan import Plan
from perilune.config.edit import append_table
from perilune.config.file import edit_file
from perilune.config.load import parse
from perilune.config.schema import AccountConfig
from perilune.config.validate import is_account_name
from perilune.core.errors import CredentialError, UsageError
from perilune.core.secret import Secret
from perilune.faces.adding.services import AddServices

_COMPARED = ("vault:", "env:", "file:")


def free_name(wanted: str | None, plan_id: str, taken: Collection[str]) -> str:
    """The name of a new account: the wanted one, or the plan's, then with `-2`, `-3`.

    Raises: PL-ACCOUNT-NAME when the wanted one is taken or cannot be a name.
    """
    if wanted is not None:
        check_name(wanted, taken)
        return wanted
    number = 1
    name = plan_id
    while name in taken:
        number += 1
        name = f"{plan_id}-{number}"
    return name


def check_name(name: str, taken: Collection[str]) -> None:
    """Raises: PL-ACCOUNT-NAME."""
    if not is_account_name(name):
        raise UsageError.of("PL-ACCOUNT-NAME", variant="shape", name=name)
    if name in taken:
        raise UsageError.of("PL-ACCOUNT-NAME", name=name)


def duplicate_of(secret: Secret, services: AddServices) -> str | None:
    """The saved account that has this key, by fingerprint; keys that would have to be asked for are not compared."""
    loaded = services.configuration()
    wanted = services.vault.fingerprint(secret)
    for account in loaded.config.accounts:
        if loaded.origins.get(account.name) != "file" or not (account.key or "").startswith(_COMPARED):
            continue
        try:
            found = services.vault.read(account.key or "", account.name)
        except CredentialError:
            continue  # an unreadable key is not this one; `accounts show` says what is wrong with it
        if services.vault.fingerprint(found) == wanted:
            return account.name
    return None


def save_account(
    services: AddServices,
    *,
    name: str,
    plan: Plan,
    region: str,
    secret: Secret | None,
    reference: str | None = None,
    base_url: str | None = None,
    before: Callable[[], None] = lambda: None,
) -> AccountConfig:
    """Keep the key in the vault, unless it has a reference already, and add the account to the configuration.

    `before` is done once the name is sure and before anybody can see the account.
    """
    file = services.paths.config_file
    key = reference or (services.vault.store(name, secret) if secret is not None else None)
    fields = _fields(name, plan, region, key, base_url)

    def edit(text: str) -> str:
        taken = [account["name"] for account in parse(text, file.name).get("accounts", [])]
        check_name(name, taken)
        before()
        return append_table(text, ("accounts",), fields)

    try:
        edit_file(file, edit)
    except BaseException:
        if reference is None and secret is not None:
            services.vault.remove(name)
        raise
    return AccountConfig(name=name, plan=plan.id, region=region, key=key, base_url=base_url)


def _fields(name: str, plan: Plan, region: str, key: str | None, base_url: str | None) -> Mapping[str, object]:
    fields: dict[str, object] = {"name": name, "plan": plan.id}
    optional = {"region": region, "key": key, "base_url": base_url, "max_concurrent_requests": plan.default_cap}
    return fields | {field: value for field, value in optional.items() if value}
