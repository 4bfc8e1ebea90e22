"""Stamps as commands keep and look them up, without a running gateway."""

from datetime import datetime
from typing import TYPE_CHECKING

from perilune.compose.stamps import host_read, keep_stamp, place_of, scope_of, stamps_in
from perilune.core.errors import PeriluneError
from perilune.core.secret import Secret
from perilune.quota.stamp import Stamp, holds
from perilune.store import learned
from perilune.store.engine import Store

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench


def stamp_read(bench: "Workbench", store: Store, account: str, secret: Secret, host: str) -> None:
    """Keep that a free read took an account's key."""
    place = place_of(bench.configuration().config, account, host, bench.vault.fingerprint(secret))
    with store.begin() as connection:
        keep_stamp(connection, account, Stamp(by="catalog", at=bench.now(), place=place))


def stamp_of(bench: "Workbench", account: str) -> Stamp | None:
    """The stamp of an account's key as it is configured now; None where there is none or the key cannot be read."""
    config = bench.configuration().config
    found = next((one for one in config.accounts if one.name == account), None)
    monitoring = bench.monitoring
    if found is None or not found.key or not monitoring.has_store:
        return None
    try:
        fingerprint = bench.vault.fingerprint(bench.vault.read(found.key, account))
    except PeriluneError:
        return None
    with monitoring.store.read() as connection:
        kept = stamps_in(connection, bench.now()).get(account)
    return holds(kept, place_of(config, account, host_read(found), fingerprint))


def rename_stamp(store: Store, name: str, new: str, now: datetime) -> None:
    """Move an account's stamp to another name."""
    with store.begin() as connection:
        kept = stamps_in(connection, now).get(name)
        learned.forget(connection, scope_of(name))
        if kept is not None:
            keep_stamp(connection, new, kept)


def forget_stamp(store: Store, account: str) -> None:
    """Drop an account's stamp."""
    with store.begin() as connection:
        learned.forget(connection, scope_of(account))
