"""Wires the monitor: accounts of the configuration to targets, the store to the status document."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from perilune.catalog.plan import Plan, Region
from perilune.config.load import Loaded
from perilune.config.paths import Paths
from perilune.config.schema import AccountConfig
from perilune.core.addresses import host_of
from perilune.core.errors import CredentialError, PeriluneError, UsageError
from perilune.core.messages import Voice
from perilune.core.nearest import nearest
from perilune.monitor.freshness import WEB_INTERVAL_S, due, rest_of
from perilune.quota.document import StatusDocument
from perilune.quota.held import Held, Known, StatusSettings
from perilune.quota.snapshot import Limits
from perilune.quota.status import build_status
from perilune.store.lessons import Learned
from perilune.store.quick import quick_held, quick_learned, quick_tried
from perilune.store.run_facts import RunFacts, quick_run_facts, run_facts

if TYPE_CHECKING:
    from perilune.core.secret import Secret
    from perilune.monitor.target import Target
    from perilune.providers.contract.probing import Probed
    from perilune.quota.samples import History
    from perilune.store.engine import Store
    from perilune.store.snapshots import Snapshots
    from perilune.vault.vault import Vault

_DATABASE = "PERILUNE_DATABASE_URL"


class Monitoring:
    """The accounts of one configuration, as the monitor and the status see them."""

    def __init__(
        self,
        loaded: Loaded,
        paths: Paths,
        plans: Mapping[str, Plan],
        vault: "Callable[[], Vault]",
        environment: Mapping[str, str],
        clock: Callable[[], datetime],
        store: "Store | None" = None,
    ) -> None:
        self.config = loaded.config
        self._origins = loaded.origins
        self._given_store = store
        self._paths = paths
        self._plans = plans
        self._vault = vault
        self._environment = environment
        self._clock = clock

    def status(
        self,
        names: Sequence[str],
        voice: Voice,
        *,
        is_verbose: bool = False,
        shows_first_failure: bool = False,
    ) -> StatusDocument:
        """The status as the store has it, without any call."""
        accounts = self._chosen(names)
        now, held = self._clock(), self.held()
        settings = StatusSettings(
            high_ratio=Decimal(str(self.config.alerts.high_ratio)),
            balance_floor={code: Decimal(amount) for code, amount in self.config.alerts.balance_floor.items()},
            work_days=self.config.pace.work_days,
            zone=voice.zone,
            is_verbose=is_verbose,
            shows_first_failure=shows_first_failure,
            is_sandbox=True if self._environment.get("PERILUNE_UPSTREAM") else None,
        )
        known = [(self.known(account), held.get(account.name, Held())) for account in accounts]
        return build_status(known, now, msgspec.structs.replace(voice, now=now), settings)

    def held(self) -> dict[str, Held]:
        """What the store holds, read without SQLAlchemy where that is possible."""
        if self._url is None:
            if not self._paths.store_file.is_file():
                return {}
            quick = quick_held(self._paths.store_file, self._clock())
            if quick is not None:
                return quick
        from perilune.store.snapshots import Snapshots

        return Snapshots(self.store).held(self._clock())

    def learned(self) -> list[Learned]:
        """What refusals taught about accounts and still holds, read as `held`."""
        if self._url is None:
            if not self._paths.store_file.is_file():
                return []
            quick = quick_learned(self._paths.store_file, self._clock())
            if quick is not None:
                return quick
        from perilune.store.learned import known

        with self.store.read() as connection:
            return known(connection, self._clock())

    def run_facts(self, run: str) -> RunFacts:
        """What reviews but this one hold of the accounts, and what earlier ones took; read as `held`."""
        if self._url is None and self._given_store is None and "store" not in self.__dict__:
            return quick_run_facts(self._paths.store_file, self._clock())
        return run_facts(self.store, run, self._clock())

    def histories(self) -> "dict[str, History]":
        """The readings that forecasts rest on, by account."""
        if self._url is None and not self._paths.store_file.is_file():
            return {}
        from perilune.store.histories import histories

        return histories(self.store, self._clock())

    def needs_reading(self, names: Sequence[str], *, is_asked: bool = False) -> bool:
        """Whether a status wants calls first: something was last tried too long ago, and no service sees to it."""
        waiting = self._due(names, is_asked=is_asked)
        if not waiting or is_asked:
            return bool(waiting)
        from perilune.compose.lines import serving_process

        never_tried = set(waiting) - set(self._tried())
        return bool(never_tried) or serving_process(self._paths, self._clock()) is None

    def needing(self, names: Sequence[str], *, is_asked: bool = False) -> list[str]:
        """The accounts that were last tried too long ago."""
        return self._due(names, is_asked=is_asked)

    def read(self, names: Sequence[str], *, is_asked: bool = False) -> None:
        """Read what is due, within 8 seconds in all; the store has the result, good or bad."""
        import asyncio

        from perilune.compose.histories import keep_tidy

        asyncio.run(self._read(names, is_asked=is_asked))
        keep_tidy(self.store, self.config.history, self._clock())
        self.keep_line()

    def keep_line(self, service: int | None = None) -> None:
        """Write what status lines show, after something was saved.

        `service` is the process that goes on doing so; one that runs already stays named.
        """
        from perilune.compose.lines import keep_line, serving_process

        now = self._clock()
        document = self.status((), Voice(now=now))
        keep_line(document, self._paths, self.config, self._plans, service or serving_process(self._paths, now))

    def keep(self, account: str, secret: "Secret", probed: "Probed") -> None:
        """Keep what a host just said to an account's key as its last reading, good or bad."""
        from perilune.monitor.first import keep_probed

        credential = secret.fingerprint(self._vault().fingerprint_key or b"-")
        interval = timedelta(seconds=self.config.monitor.interval_s)
        keep_probed(self.snapshots, account, credential, probed, self._clock(), interval)

    def close(self) -> None:
        """Close the store, where it was opened here."""
        if self._given_store is None and "store" in self.__dict__:
            self.store.close()

    def known(self, account: AccountConfig) -> Known:
        """An account as the status needs it."""
        plan = self._plans.get(account.plan)
        region = plan.region(account.region) if plan else None
        return Known(
            name=account.name,
            plan=account.plan,
            region=account.region,
            source="api-key" if account.source == "auto" else account.source,
            vendor=(plan.vendor or plan.label) if plan else account.plan,
            plan_label=plan.label if plan else account.plan,
            console=region.keys_page if region else "",
            is_extra_usage_allowed=account.extra_usage,
            own_limits=Limits(concurrency=account.max_concurrent_requests, rpm=account.rpm, tpm=account.tpm),
            interval_s=self._interval_s(account),
        )

    def targets(self, names: Sequence[str] = ()) -> "list[Target]":
        """The accounts that can be read: not paused, of a plan with a region and a key."""
        from perilune.compose.reading import binder
        from perilune.compose.sources import AccountSources
        from perilune.monitor.target import Target

        targets = []
        for account in self._chosen(names):
            place = self._place(account)
            if place is None:
                continue
            plan, region = place
            bind = binder(self._vault, account, plan, region)
            sources = AccountSources(account, plan, region, bind, self._vault, self._environment, self._clock)
            is_implied = self._origins.get(account.name, "file") != "file"
            options = () if is_implied else sources.options()
            targets.append(
                Target(
                    known=self.known(account),
                    host=options[0].host if options else host_of(account.base_url or region.read_base),
                    bind=bind,
                    poll_interval_s=self._interval_s(account),
                    sources=options,
                    sessions=None if is_implied else sources.sessions(),
                )
            )
        return targets

    def _interval_s(self, account: AccountConfig) -> int:
        interval_s = self.config.monitor.interval_s
        return max(interval_s, WEB_INTERVAL_S) if account.source == "web-session" else interval_s

    def masked_keys(self) -> dict[str, str]:
        """Keys by account as people may see them; accounts whose key cannot be read are left out."""
        masked = {}
        for account in self.config.accounts:
            try:
                if account.key:
                    masked[account.name] = self._vault().read(account.key, account.name).masked()
            except PeriluneError:
                continue
        return masked

    @property
    def has_store(self) -> bool:
        """Whether anything has been kept yet."""
        return self._given_store is not None or self._url is not None or self._paths.store_file.is_file()

    @property
    def snapshots(self) -> "Snapshots":
        """The monitor's tables of the store."""
        from perilune.store.snapshots import Snapshots

        return Snapshots(self.store)

    @cached_property
    def store(self) -> "Store":
        """The open store."""
        if self._given_store is not None:
            return self._given_store
        from perilune.store.engine import open_store

        return open_store(self._url or self._paths.store_file)

    @property
    def _url(self) -> str | None:
        return self._environment.get(_DATABASE) or None

    def _chosen(self, names: Sequence[str]) -> list[AccountConfig]:
        accounts = {account.name: account for account in self.config.accounts}
        if not accounts:
            raise CredentialError.of("PL-ACCOUNT-NONE")
        for name in names:
            if name not in accounts:
                near = nearest(name, accounts)
                variant = "unknown" if near else "unknown_far"
                raise UsageError.of("PL-ACCOUNT-NAME", variant=variant, name=name, nearest=near)
        return [accounts[name] for name in names] if names else list(accounts.values())

    def _due(self, names: Sequence[str], *, is_asked: bool) -> list[str]:
        readable = [account.name for account in self._chosen(names) if self._place(account) is not None]
        return due(readable, self._tried(), self._clock(), is_asked=is_asked)

    def _place(self, account: AccountConfig) -> "tuple[Plan, Region] | None":
        """Where an account is read; None for one that is paused or of a plan without a region."""
        plan = self._plans.get(account.plan)
        region = plan.region(account.region) if plan else None
        return None if plan is None or region is None or account.paused else (plan, region)

    def _tried(self) -> dict[str, datetime]:
        if self._url is None:
            return quick_tried(self._paths.store_file) if self._paths.store_file.is_file() else {}
        from perilune.store.snapshots import Snapshots

        return {name: state.tried_at for name, state in Snapshots(self.store).reads().items()}

    async def read_side_by_side(self, names: Sequence[str]) -> None:
        """Read what was not read just now, within 8 seconds in all; the store has the result, good or bad."""
        await self._read(names, is_asked=True)

    async def _read(self, names: Sequence[str], *, is_asked: bool) -> None:
        from perilune.compose.reading import collecting
        from perilune.monitor.refresh import refresh

        async with collecting(self.store, self._environment, self._clock) as collector:
            due_names = self._due(names, is_asked=is_asked)
            await refresh(self.targets(due_names) if due_names else [], collector, rest=rest_of(is_asked=is_asked))
