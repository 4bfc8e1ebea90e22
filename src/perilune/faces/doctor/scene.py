"""What the checks look at: this machine, its configuration, its accounts; each part made once, when first asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

from perilune.catalog.load import Catalogue
from perilune.catalog.plan import Plan
from perilune.config.load import Loaded
from perilune.config.paths import Paths
from perilune.config.schema import AccountConfig
from perilune.core.errors import PeriluneError, Problem
from perilune.core.messages import Language, Voice
from perilune.faces.api.ports import RoutesDocument
from perilune.faces.cli.output import Output
from perilune.faces.doctor.probes import Probe, probe_hosts
from perilune.monitor.target import Target
from perilune.net.control import ControlClient
from perilune.quota.document import AccountDocument, StatusDocument
from perilune.quota.held import Held
from perilune.store.deliveries import ChannelState
from perilune.vault.vault import Vault


class Monitor(Protocol):
    """What a doctor needs of the monitor."""

    def read(self, names: Sequence[str], *, is_asked: bool = False) -> None: ...
    def status(
        self, names: Sequence[str], voice: Voice, *, is_verbose: bool = False, shows_first_failure: bool = False
    ) -> StatusDocument: ...
    def held(self) -> dict[str, Held]: ...
    def targets(self, names: Sequence[str] = ()) -> list[Target]: ...
    def close(self) -> None: ...


class DoctorServices(Protocol):
    """What a doctor needs of the workbench."""

    environment: Mapping[str, str]

    @property
    def paths(self) -> Paths: ...
    @property
    def plans(self) -> Mapping[str, Plan]: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def catalogue(self) -> Catalogue: ...
    def now(self) -> datetime: ...
    def configuration(self) -> Loaded: ...
    def monitoring_now(self) -> "Monitor": ...
    def control_client(self) -> ControlClient: ...
    def channel_states(self) -> Mapping[str, ChannelState]: ...
    def routes_now(self, language: Language = "en") -> tuple[RoutesDocument, bool]: ...


class Scene:
    """This machine, as one run of the doctor sees it."""

    def __init__(self, services: DoctorServices, voice: Voice, out: Output) -> None:
        self.services = services
        self.voice = voice
        self.out = out
        self.environment = services.environment
        self.paths = services.paths
        self.plans = services.plans
        self.say = voice.say

    @cached_property
    def _configured(self) -> "tuple[Loaded | None, Problem | None]":
        try:
            return self.services.configuration(), None
        except PeriluneError as error:
            return None, error.problem

    @property
    def loaded(self) -> Loaded | None:
        """The configuration, None where it cannot be used."""
        return self._configured[0]

    @property
    def config_problem(self) -> Problem | None:
        """Why the configuration cannot be used."""
        return self._configured[1]

    @property
    def accounts(self) -> tuple[AccountConfig, ...]:
        """The accounts there are."""
        return self.loaded.config.accounts if self.loaded else ()

    @cached_property
    def monitoring(self) -> Monitor:
        """The monitor over this configuration; one of the workbench's own."""
        return self.services.monitoring_now()

    @cached_property
    def _read(self) -> "tuple[list[AccountDocument], Problem | None]":
        """The accounts after a fresh reading; what cannot be kept is told."""
        if not self.accounts:
            return [], None
        try:
            self.monitoring.read((), is_asked=True)
            return self.monitoring.status((), self.voice, shows_first_failure=True).accounts, None
        except PeriluneError as error:
            return [], error.problem

    @property
    def readings(self) -> list[AccountDocument]:
        """Every account as it has just been read."""
        return self._read[0]

    @property
    def reading_problem(self) -> Problem | None:
        """Why the accounts could not be read at all."""
        return self._read[1]

    @cached_property
    def probes(self) -> list[Probe]:
        """A connection without any key to every official host, and to the hosts of the accounts."""
        return probe_hosts(self.services.control_client(), self._addresses(), self.services.now)

    @cached_property
    def routes(self) -> tuple[RoutesDocument, bool] | None:
        """The gateway's routes, and whether a running service told them; None without a usable configuration."""
        if self.loaded is None or not self.accounts:
            return None
        try:
            return self.services.routes_now(self.voice.language)
        except PeriluneError:
            return None  # the store and the configuration tell of themselves

    def needed_hosts(self) -> set[str]:
        """The addresses that configured accounts are read at."""
        return {address for account in self.accounts if (address := self._address(account)) is not None}

    def short(self, path: Path) -> str:
        """A path with the home folder as `~`."""
        home = Path(self.environment.get("HOME") or Path.home())
        return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)

    def close(self) -> None:
        """Close what was opened."""
        if "monitoring" in self.__dict__:
            self.monitoring.close()

    def _addresses(self) -> dict[str, str]:
        """Addresses to connect to and the plan they belong to, in the order of the specs."""
        official = {
            region.read_base: plan.id for plan in self.plans.values() if plan.is_detectable for region in plan.regions
        }
        named = {account.name: self._address(account) for account in self.accounts}
        return official | {
            address: account.plan
            for account in self.accounts
            if (address := named[account.name]) is not None and address not in official
        }

    def _address(self, account: AccountConfig) -> str | None:
        plan = self.plans.get(account.plan)
        region = plan.region(account.region) if plan else None
        return account.base_url or (region.read_base if region else None)
