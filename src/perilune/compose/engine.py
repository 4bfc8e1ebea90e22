"""The engine: one configuration's gateway with its store, admission and ledger, for the service and for commands."""

import os
import platform
from collections.abc import Callable, Mapping
from datetime import datetime

from perilune.compose.account_groups import group_accounts, identities_of
from perilune.compose.accounts import CAP, catalogue_of, known_of, secrets_of
from perilune.compose.background import Background
from perilune.compose.board import Board
from perilune.compose.happenings import Happenings, Publish, WatchedLedger
from perilune.compose.lessons import Lessons
from perilune.compose.monitoring import Monitoring
from perilune.compose.sharing import Sharing
from perilune.compose.stamps import Stamps, stamps_among
from perilune.compose.workbench import Workbench
from perilune.config.schema import Config
from perilune.core.messages import pick_language
from perilune.core.secret import Secret
from perilune.gateway.admission import Admission, Rules, choose_places
from perilune.gateway.budgets import Budget
from perilune.gateway.build import Gateway, Parts, build_gateway
from perilune.gateway.intake import App
from perilune.gateway.kept_states import KeptStates
from perilune.gateway.key_book import StoredKeyBook
from perilune.gateway.ledger import LedgerWriter
from perilune.gateway.meter import Meter, MeteredLedger
from perilune.gateway.pricing import Pricing
from perilune.gateway.purse import Limits, StoredPurse
from perilune.net.upstream_map import VARIABLE, parse_upstream
from perilune.providers.contract.registry import providers
from perilune.quota.held import Held
from perilune.quota.refusals import code_of
from perilune.quota.snapshot import Refusal
from perilune.store.lessons import Learned
from perilune.store.snapshots import Snapshots


def nobody(event: str) -> None:
    """Publishes to nobody."""


class Engine:
    """Everything that answers requests. Build it inside a running loop; `close` frees every lease and flushes."""

    def __init__(
        self,
        bench: Workbench,
        monitoring: Monitoring,
        *,
        publish: Publish = nobody,
        nudge: Callable[[str], object] = lambda account: None,
        fallback: App | None = None,
        token: Secret | None = None,
        listen: str | None = None,
    ) -> None:
        self.bench = bench
        self.monitoring = monitoring
        self.store = monitoring.store
        self.publish = publish
        self.background = Background()
        self.snapshots = Snapshots(self.store)
        self.catalogue = catalogue_of(bench)
        self.happenings = Happenings(self.store, self.background, publish)
        self.board = Board(known_of(monitoring), self.catalogue, keep=self._keep, nudge=nudge)
        self.board.load(monitoring.held(), bench.now())
        self._listen = listen
        config = self._config(monitoring.config)
        self.purse = StoredPurse(self.store, lambda: self.catalogue, self._here, limits_of(config), self._soft)
        pricing = self._pricing()
        self.meter = Meter(pricing.charge, pricing.rate)
        self.written = LedgerWriter(
            self.store, pricing, on_written=lambda _: self.meter.count(), settle=self.purse.settle
        )
        self._secrets = secrets_of(self.bench, config)
        self._groups = self._grouped(config)
        self.stamps = Stamps(self.store, self.background, bench.now, bench.vault.fingerprint_key)
        self.stamps.load(config, self._secrets)
        metered = MeteredLedger(self.written, self.meter)
        self.ledger = WatchedLedger(metered, self.happenings, publish, _mains(config), self._why, self._served)
        self.admission = Admission(
            choose_places(bench.environment, self.store, config.gateway.redis_failure),
            Rules(queue_max=config.gateway.queue_max),
            on_learned=self._keep_cap,
        )
        self._lessons = Lessons(self.store, self.background)
        self._states = KeptStates(self.store, f"{platform.node()} {os.getpid()}", bench.now)
        self._keys = StoredKeyBook(self.store, bench.now)
        self.gateway: Gateway = build_gateway(self._parts(config, fallback, token))
        self.sharing = Sharing(
            self._keys, self._states, self.gateway.core.services.states, self.purse, self._read_lessons, self._take_in
        )
        self._take_in(self._lessons.read(bench.now()))

    def reload(self, monitoring: Monitoring) -> None:
        """Take over another version of the configuration; running requests end on theirs."""
        self.monitoring = monitoring
        config = self._config(monitoring.config)
        self.board.know(known_of(monitoring))
        self.board.load(monitoring.held(), self.bench.now())
        self.ledger.watch(_mains(config))
        before, self._secrets = self._secrets, secrets_of(self.bench, config)
        for account in before:
            if account in self._secrets and self._secrets[account] != before[account]:
                self.board.renewed(account)
        self.stamps.load(config, self._secrets)
        self._groups = self._grouped(config)
        self.purse.limit(limits_of(config))
        self.gateway.reload(config, self._secrets, self._groups)

    def learn_of(self, held: Mapping[str, Held]) -> None:
        """Take in new readings. Two accounts that turn out to belong to one holder share a cap from now on."""
        self.board.load(held, self.bench.now())
        config = self._config(self.monitoring.config)
        groups = self._grouped(config)
        if groups == self._groups:
            return
        for account, group in groups.items():
            if self._groups[account] != group:
                self.admission.merge(self._groups[account], group)
        self._groups = groups
        self.gateway.reload(config, self._secrets, groups)

    def group_of(self, account: str) -> str:
        """The account group whose cap an account counts against."""
        return self._groups.get(account, account)

    async def close(self, drain_s: float = 0) -> None:
        """End requests, free leases, write what is buffered."""
        await self.gateway.close(drain_s)
        self.admission.close()
        self.written.close()
        self._states.close()
        self.background.close()
        self.store.close()

    def _config(self, config: Config) -> Config:
        if self._listen is None:
            return config
        from msgspec.structs import replace

        return replace(config, gateway=replace(config.gateway, listen=self._listen))

    def _parts(self, config: Config, fallback: App | None, token: Secret | None) -> Parts:
        return Parts(
            config=config,
            providers=providers(),
            catalogue=self.catalogue,
            secrets=self._secrets,
            admission=self.admission,
            accounts=self.board,
            ledger=self.ledger,
            seal_key=self.bench.vault.fingerprint_key,
            groups=self._groups,
            upstream=parse_upstream(self.bench.environment.get(VARIABLE)),
            states=self._states,
            store=self.store,
            restored=tuple(self._states.load()),
            keys=self._keys,
            purse=self.purse,
            on_rate=lambda group, name, value: self._lessons.keep(group, name, value, self.bench.now()),
            token=token,
            fallback=fallback,
            language=pick_language(self.bench.environment, config.display.lang),
            now=self.bench.now,
        )

    def _pricing(self) -> Pricing:
        plans = self.bench.plans

        def plan_of_account(name: str) -> str | None:
            return next((one.plan for one in self.monitoring.config.accounts if one.name == name), None)

        return Pricing(lambda: self.catalogue, plans.get, plan_of_account)

    def _keep_cap(self, group: str, value: int, for_s: float) -> None:
        self._lessons.keep(group, CAP, value, self.bench.now(), for_s)

    def _read_lessons(self) -> list[Learned]:
        return self._lessons.read(self.bench.now())

    def _take_in(self, lessons: list[Learned]) -> None:
        """Caps and rates that any process over this store learned, and keys that it showed to work."""
        self._lessons.take_in(lessons, self.admission, self.gateway.core.services.rates, self.bench.now())
        if self.stamps.take_in(stamps_among(lessons)):
            self.publish("gateway")

    def _here(self) -> datetime:
        """This moment on the clock whose days and months count."""
        return self.bench.now().astimezone()

    def _soft(self, budget: Budget, at: datetime) -> None:
        """A soft budget is crossed: said once in its period."""
        self.happenings.note("budget_soft", at, None, key=budget.name, budget=budget.amount.shown(), per=budget.per)

    def _grouped(self, config: Config) -> dict[str, str]:
        """Accounts whose caps count as one, by keys and by what the last readings said of their holders."""
        read = {account.name: self.board.snapshot(account.name) for account in config.accounts}
        return group_accounts(config.accounts, self._secrets, identities_of(read))

    def _served(self, account: str, purpose: str) -> None:
        """An answer came: one of a trial proves as much as a trial can, any other that routes work."""
        self.stamps.note(account, "probe" if purpose == "test" else "traffic")

    def _why(self, account: str, now: datetime) -> str | None:
        """The code of what blocks an account now."""
        verdict = self.board.verdict(account, now)
        if verdict is None or verdict.usable is not False:
            return None
        codes = {"balance": "PL-BALANCE-EMPTY", "membership": "PL-402-MEMBER", "credential": "PL-401-KEY"}
        blocked_by = verdict.blocked_by or ""
        return codes.get(blocked_by) or code_of(None if blocked_by == "quota" else blocked_by)

    def _keep(self, account: str, refusal: Refusal | None) -> None:
        if refusal is None:
            self.background.submit(lambda: self.snapshots.accept(account))
        else:
            self.background.submit(lambda: self.snapshots.refuse(refusal))


def _mains(config: Config) -> dict[str, str]:
    routes = config.gateway.routes
    if routes:
        return {route.name: route.slots[0].account for route in routes if route.slots}
    return {"default": config.accounts[0].name} if config.accounts else {}


def limits_of(config: Config) -> Limits:
    """The budgets that the configuration names."""
    gateway = config.gateway
    return Limits.of(gateway.spend_stop, gateway.owner_budgets, ((one.name, one.budget) for one in config.accounts))


def today(now: datetime) -> datetime:
    """The beginning of this day on this machine's clock."""
    return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
