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
    """Give an account another name: in the file with routes and channels, in the store, in the vault."""
    moved = _moved_places(account, new)
    for old, place in moved.values():
        services.vault.store(place, services.vault.read(f"{_VAULT}{old}", account.name))

    def edit(text: str) -> str:
        index = _index(services, text, account.name)
        text = set_value(text, ("accounts", index, "name"), new)
        for field, (_, place) in moved.items():
            text = set_value(text, ("accounts", index, field), f"{_VAULT}{place}")
        for path in _slot_paths(services, text, account.name):
            text = set_value(text, (*path, "account"), new)
        for path, names in _channel_filters(services, text, account.name):
            text = set_value(text, path, [new if name == account.name else name for name in names])
        services.account_renamed(account.name, new)  # before a running service sees the name and reads it anew
        return text

    try:
        _edit(services, edit)
    except BaseException:
        for _, place in moved.values():
            services.vault.remove(place)
        raise
    for old, _ in moved.values():
        services.vault.remove(old)


def _moved_places(account: AccountConfig, new: str) -> dict[str, tuple[str, str]]:
    """The places in the vault that bear the account's name, by field: from, to."""
    places = {"key": (account.name, new), "web_session": (f"{account.name}.web", f"{new}.web")}
    return {field: places[field] for field in places if getattr(account, field) == f"{_VAULT}{places[field][0]}"}


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


def _channel_filters(services: AddServices, text: str, name: str) -> list[tuple[tuple[str | int, ...], list[str]]]:
    """The notification channels that are limited to accounts, this one among them."""
    channels = _data(services, text).get("notify", [])
    return [
        (("notify", index, "accounts"), channel["accounts"])
        for index, channel in enumerate(channels)
        if name in channel.get("accounts", [])
    ]


def _is_used(services: AddServices, reference: str) -> bool:
    return any(account.key == reference for account in services.configuration().config.accounts)
