"""What reading an account needs: its credential, taken when it is wanted, and somebody who reads."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from perilune.catalog.plan import Plan, Region
from perilune.config.schema import AccountConfig
from perilune.core.errors import CredentialError
from perilune.monitor.collect import Collector
from perilune.net.control import ControlClient
from perilune.net.upstream_map import VARIABLE, parse_upstream
from perilune.providers.contract.reading import Binding
from perilune.store.engine import Store
from perilune.store.snapshots import Snapshots

if TYPE_CHECKING:
    from perilune.vault.vault import Vault


@asynccontextmanager
async def collecting(
    store: Store, environment: Mapping[str, str], clock: Callable[[], datetime]
) -> AsyncIterator[Collector]:
    """A collector for one command, with a client that is closed in the end."""
    async with ControlClient(upstream=parse_upstream(environment.get(VARIABLE))) as client:
        yield Collector(Snapshots(store), client, clock=clock, owner=f"status-{os.getpid()}")


def binder(
    open_vault: "Callable[[], Vault]", account: AccountConfig, plan: Plan, region: Region
) -> Callable[[], Binding]:
    """What takes the credential of an account when it is called; that may raise PL-CRED-NONE, PL-SECRET-READ."""

    def bind() -> Binding:
        if not account.key:
            raise CredentialError.of("PL-CRED-NONE", account=account.name)
        vault = open_vault()
        return Binding(
            account=account.name,
            plan=plan,
            region=region,
            secret=vault.read(account.key, account.name),
            base_url=account.base_url,
            salt=vault.fingerprint_key,
        )

    return bind
