"""Whose credential this is."""

from typing import TypeVar

from perilune.sandbox.accounts import Membership
from perilune.sandbox.routes.call import Call
from perilune.sandbox.world import World

_T = TypeVar("_T")


def owner_of(world: World, secret: str) -> tuple[str, str]:
    """The account id and the label of a credential, whatever host it was sent to; two empty texts when unknown.

    Shape: the first key of an account is labelled with the account's id, the second `id-2`; logins `id-login`, web
    sessions `id-web`.
    """
    if not secret:
        return "", ""
    for name, account in world.accounts.items():
        if secret in account.keys:
            position = account.keys.index(secret)
            return name, name if position == 0 else f"{name}-{position + 1}"
        if isinstance(account, Membership) and secret in account.web_sessions:
            return name, f"{name}-web"
    login = world.logins.account_of(secret, world.now())
    return (login, f"{login}-login") if login else ("", "")


def account_of(call: Call, plan: type[_T], region: str | None) -> _T | None:
    """The account of the request's credential when a host of that plan and region takes it."""
    account = call.world.accounts.get(call.entry.account)
    if not isinstance(account, plan) or call.secret in getattr(account, "revoked", ()):
        return None
    if call.secret in getattr(account, "web_sessions", ()):
        return None
    return account if region is None or getattr(account, "region", region) == region else None
