"""Account groups: accounts with one key, or of one person or organisation by the vendor's own word, share one cap.

Source: gateway reference 6.1.
"""

import hashlib
from collections.abc import Iterable, Mapping

from perilune.config.schema import AccountConfig
from perilune.core.secret import Secret
from perilune.quota.snapshot import Snapshot


def group_accounts(
    accounts: Iterable[AccountConfig], secrets: Mapping[str, Secret], identities: Mapping[str, str]
) -> dict[str, str]:
    """The group of every account.

    Shape: `identities` are digests of who an account belongs to, by account. A group's id is the same in every home
    that has its keys: it says nothing of the home, of an account's name or of a key itself.
    """
    own = {account.name: _own_id(account, secrets.get(account.name)) for account in accounts}
    one = _joined(own, identities)
    return {name: one[group] for name, group in own.items()}


def identities_of(read: Mapping[str, Snapshot | None]) -> dict[str, str]:
    """Who accounts belong to, by their last readings."""
    return {name: one.identity for name, one in read.items() if one is not None and one.identity is not None}


def _joined(own: Mapping[str, str], identities: Mapping[str, str]) -> dict[str, str]:
    """For every id the id of its group: the least of all that are tied together by an identity.

    A group is named by keys, which are known from the start, and not by the holder, who is known from the first
    reading on: else a home that has read and one that has not would not share a cap for one and the same key.
    """
    one = {group: group for group in own.values()}
    tied: dict[str, set[str]] = {}
    for name, identity in identities.items():
        if name in own:
            tied.setdefault(identity, set()).add(own[name])
    for groups in tied.values():
        least = min(one[group] for group in groups)
        merged = {one[group] for group in groups}
        one = {group: least if root in merged else root for group, root in one.items()}
    return one


def _own_id(account: AccountConfig, secret: Secret | None) -> str:
    """The id by the key; of an account without one by its place and name."""
    parts = (
        ["key", secret.reveal()]
        if secret is not None
        else ["place", account.plan, account.base_url or "", account.name]
    )
    return _id(*parts)


def _id(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16, person=b"perilune group").hexdigest()
