"""Changes of accounts in the configuration and the vault."""

from collections.abc import Callable, Mapping
from typing import Any

from perilune.config.edit import set_value, unset
from perilune.config.file import edit_file
from perilune.config.load import parse
from perilune.config.schema import AccountConfig
from perilune.core.secret import Secret
from perilune.faces.adding.services import AddServices

_VAULT = "vault:"


def set_fields(services: AddServices, name: str, fields: Mapping[str, object]) -> None:
    """Set fields of an account; None takes a field out."""

    def edit(text: str) -> str:
        index = _index(services, text, name)
        for field, value in fields.items():
            path = ("accounts", index, field)
            text = unset(text, path) if value is None else set_value(text, path, value)
        return text

    _edit(services, edit)


def rename(services: AddServices, account: AccountConfig, new: str) -> None:
    """Give an account another name: in the file, in every route, and in the vault where its key is kept under it."""
    is_kept_by_name = account.key == f"{_VAULT}{account.name}"
    if is_kept_by_name:
        services.vault.store(new, services.vault.read(f"{_VAULT}{account.name}", account.name))

    def edit(text: str) -> str:
        index = _index(services, text, account.name)
        text = set_value(text, ("accounts", index, "name"), new)
        if is_kept_by_name:
            text = set_value(text, ("accounts", index, "key"), f"{_VAULT}{new}")
        for path in _slot_paths(services, text, account.name):
            text = set_value(text, (*path, "account"), new)
        services.account_renamed(account.name, new)  # before a running service sees the name and reads it anew
        return text

    try:
        _edit(services, edit)
    except BaseException:
        if is_kept_by_name:
            services.vault.remove(new)
        raise
    if is_kept_by_name:
        services.vault.remove(account.name)


def remove(services: AddServices, account: AccountConfig, *, with_history: bool = False) -> int:
    """Take an account out of the file, its key out of the vault, its slots out of the routes; tell how many slots.

    What is known of it now goes too; its history only with `with_history`.
    """
    slots = 0

    def edit(text: str) -> str:
        nonlocal slots
        paths = _slot_paths(services, text, account.name)
        slots = len(paths)
        for path in reversed(paths):
            text = unset(text, path)
        return unset(text, ("accounts", _index(services, text, account.name)))

    _edit(services, edit)
    for key in (account.key or "", account.web_session or ""):
        if key.startswith(_VAULT) and not _is_used(services, key):
            services.vault.remove(key.removeprefix(_VAULT))
    services.account_removed(account.name, with_history=with_history)
    return slots


def replace_key(services: AddServices, account: AccountConfig, secret: Secret, fields: Mapping[str, object]) -> None:
    """Put another key in the place of an account's, in the vault, with fields that change along with it."""
    reference = account.key if (account.key or "").startswith(_VAULT) else f"{_VAULT}{account.name}"
    name = str(reference).removeprefix(_VAULT)
    services.vault.store(name, secret)
    changed = {**fields} if account.key == reference else {"key": reference, **fields}
    if changed:
        set_fields(services, account.name, changed)


def _edit(services: AddServices, edit: Callable[[str], str]) -> None:
    edit_file(services.paths.config_file, edit)


def _data(services: AddServices, text: str) -> dict[str, Any]:
    return parse(text, services.paths.config_file.name)


def _index(services: AddServices, text: str, name: str) -> int:
    accounts = _data(services, text).get("accounts", [])
    return next(index for index, account in enumerate(accounts) if account["name"] == name)


def _slot_paths(services: AddServices, text: str, name: str) -> list[tuple[str | int, ...]]:
    routes = _data(services, text).get("gateway", {}).get("routes", [])
    return [
        ("gateway", "routes", number, "slots", index)
        for number, route in enumerate(routes)
        for index, slot in enumerate(route.get("slots", []))
        if slot["account"] == name
    ]


def _is_used(services: AddServices, reference: str) -> bool:
    return any(account.key == reference for account in services.configuration().config.accounts)
