"""The engine: one configuration's gateway with its store, admission and ledger, for the service and for commands."""

import os
import platform
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from perilune.catalog import load as catalogues
from perilune.compose.background import Background
from perilune.compose.board import Board
from perilune.compose.happenings import Happenings, Publish, WatchedLedger
from perilune.compose.monitoring import Monitoring
from perilune.compose.workbench import Workbench
from perilune.config.schema import Config
from perilune.core.errors import PeriluneError
from perilune.core.messages import pick_language
from perilune.core.secret import Secret
from perilune.gateway.admission import Admission, Rules, choose_places
from perilune.gateway.build import Gateway, Parts, build_gateway
from perilune.gateway.intake import App
from perilune.gateway.kept_states import KeptStates
from perilune.gateway.ledger import LedgerWriter
from perilune.gateway.pricing import Pricing
from perilune.net.upstream_map import VARIABLE, parse_upstream
from perilune.providers.contract.own_catalogue import own_documents
from perilune.providers.contract.registry import providers
from perilune.quota.held import Known
from perilune.quota.refusals import code_of
from perilune.quota.snapshot import Refusal
from perilune.store import learned
from perilune.store.learned import Learned
from perilune.store.snapshots import Snapshots

_CAP = "concurrency"


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
        self.background = Background()
        self.snapshots = Snapshots(self.store)
        self.catalogue = catalogues.load(own_documents(providers().values()), self._own_document())
        self.happenings = Happenings(self.store, self.background, publish)
        self.board = Board(self._known(monitoring), self.catalogue, keep=self._keep, nudge=nudge)
        self.board.load(monitoring.held(), bench.now())
        self._listen = listen
        self._written = LedgerWriter(self.store, self._pricing())
        config = self._config(monitoring.config)
        self.ledger = WatchedLedger(self._written, self.happenings, publish, _mains(config), self._why)
        self.admission = Admission(
            choose_places(bench.environment, self.store),
            Rules(queue_max=config.gateway.queue_max),
            on_learned=self._keep_cap,
        )
        self._states = KeptStates(self.store, f"{platform.node()} {os.getpid()}", bench.now)
        self.gateway: Gateway = build_gateway(self._parts(config, fallback, token))
        self._recall_caps()

    def reload(self, monitoring: Monitoring) -> None:
        """Take over another version of the configuration; running requests end on theirs."""
        self.monitoring = monitoring
        config = self._config(monitoring.config)
        self.board.know(self._known(monitoring))
        self.board.load(monitoring.held(), self.bench.now())
        self.ledger.watch(_mains(config))
        self.gateway.reload(config, self._secrets(config), self._groups(config))

    def load_board(self) -> None:
        """Bring what the gateway knows of the accounts up to what the store holds."""
        self.board.load(self.monitoring.held(), self.bench.now())

    def group_of(self, account: str) -> str:
        """The account group whose cap an account counts against."""
        slots = (slot for route in self.gateway.core.setup.routes.all for slot in route.slots)
        return next((slot.group for slot in slots if slot.account == account), account)

    async def close(self, drain_s: float = 0) -> None:
        """End requests, free leases, write what is buffered."""
        await self.gateway.close(drain_s)
        self.admission.close()
        self._written.close()
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
            secrets=self._secrets(config),
            admission=self.admission,
            accounts=self.board,
            ledger=self.ledger,
            seal_key=self.bench.vault.fingerprint_key,
            groups=self._groups(config),
            upstream=parse_upstream(self.bench.environment.get(VARIABLE)),
            states=self._states,
            restored=tuple(self._states.load()),
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

    def _own_document(self) -> catalogues.Document | None:
        file = self.bench.paths.config_file.with_name("catalogue.toml")
        return catalogues.Document(str(file), file.read_text(encoding="utf-8")) if file.is_file() else None

    def _keep_cap(self, group: str, value: int, for_s: float) -> None:
        """What a refusal taught about a cap outlives this process."""
        at = self.bench.now()
        lesson = Learned(scope=group, name=_CAP, value=str(value), at=at, until=at + timedelta(seconds=for_s))

        def write() -> None:
            with self.store.begin() as connection:
                learned.keep(connection, lesson)

        self.background.submit(write)

    def _recall_caps(self) -> None:
        now = self.bench.now()
        with self.store.read() as connection:
            lessons = [lesson for lesson in learned.known(connection, now) if lesson.name == _CAP]
        for lesson in lessons:
            if lesson.until is not None and lesson.value.isdigit():
                self.admission.recall(lesson.scope, int(lesson.value), (lesson.until - now).total_seconds())

    def _known(self, monitoring: Monitoring) -> Mapping[str, Known]:
        return {account.name: monitoring.known(account) for account in monitoring.config.accounts}

    def _secrets(self, config: Config) -> dict[str, Secret]:
        """The keys that can be read; an account whose key cannot is refused by its vendor, and status says why."""
        secrets = {}
        for account in config.accounts:
            try:
                if account.key:
                    secrets[account.name] = self.bench.vault.read(account.key, account.name)
            except PeriluneError:
                continue
        return secrets

    def _groups(self, config: Config) -> dict[str, str]:
        """Accounts whose caps count as one: equal keys."""
        first: dict[str, str] = {}
        groups = {}
        for name, secret in self._secrets(config).items():
            groups[name] = first.setdefault(self.bench.vault.fingerprint(secret), name)
        return groups

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


def today(now: datetime) -> datetime:
    """The beginning of this day on this machine's clock."""
    return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
