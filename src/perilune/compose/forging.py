"""Forges as configured: installations, their credentials, and the adapter that a pull request's address leads to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from perilune.config.schema import Config, ForgeConfig
from perilune.core.addresses import host_of
from perilune.core.errors import ConfigError, Problem, ReviewError
from perilune.core.secret import Secret
from perilune.forges.contract.client import ForgeMeans
from perilune.forges.contract.port import Forge, PullAddress
from perilune.forges.contract.registry import ForgeKind, forge_kinds
from perilune.forges.contract.spec import ForgeSite
from perilune.net.control import ControlClient

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench


class Installation(Struct, frozen=True, kw_only=True):
    """One installation of a forge; `config` is None for an official one that nobody has written down."""

    kind: ForgeKind
    site: ForgeSite
    config: ForgeConfig | None = None

    @property
    def may_publish(self) -> bool:
        """Only with a credential that was written beside this host."""
        return self.config is not None and self.config.token is not None

    def secrets(self, bench: "Workbench") -> tuple[str, ...]:
        """What its webhooks may be signed with."""
        config = self.config
        given = (config.webhook_signing_token, config.webhook_secret) if config is not None else ()
        name = config.name if config is not None else ""
        return tuple(bench.vault.read(reference, name).reveal() for reference in given if reference)

    def token(self, bench: "Workbench") -> Secret | None:
        """The credential, for reading an official host also the one of its usual variable. Raises: PL-SECRET-READ."""
        if self.config is not None:
            return bench.vault.read(self.config.token, self.config.name) if self.config.token else None
        found = next((bench.environment.get(name) for name in self.site.spec.token_variables), None)
        return Secret(found) if found else None


def installations(config: Config) -> list[Installation]:
    """Every configured installation, then the official ones that are not among them. Raises: PL-CONFIG-VALUE."""
    found = [_configured(forge, index) for index, forge in enumerate(config.forges)]
    known = {one.site.base_url for one in found}
    official = (
        Installation(kind=kind, site=ForgeSite(spec=kind.spec, base_url=kind.spec.official))
        for kind in forge_kinds().values()
    )
    return [*found, *(one for one in official if one.site.base_url not in known)]


def _configured(forge: ForgeConfig, index: int) -> Installation:
    kind = forge_kinds().get(forge.forge)
    if kind is None:
        facts = {
            "place": f"config.toml (forges.{index})", "key": "forge", "value": f"'{forge.forge}'",
            "choices": ", ".join(forge_kinds()),
        }  # fmt: skip
        raise ConfigError(Problem(code="PL-CONFIG-VALUE", variant="choice", facts=facts))
    base_url = (forge.base_url or kind.spec.official).rstrip("/")
    return Installation(kind=kind, site=ForgeSite(spec=kind.spec, base_url=base_url), config=forge)


def installation_of(config: Config, url: str) -> tuple[Installation, PullAddress]:
    """The installation that a pull request's address belongs to. Raises: ReviewError PL-REVIEW-HOST."""
    for one in installations(config):
        found = one.site.pull_of(url)
        if found is not None:
            return one, PullAddress(*found)
    known = ", ".join(_hosts(config))
    raise ReviewError.of("PL-REVIEW-HOST", url=url, known=known)


def installation_at(config: Config, forge: str, host: str) -> Installation | None:
    """The installation that a queued job names."""
    found = (one for one in installations(config) if one.site.spec.id == forge)
    return next((one for one in found if host_of(one.site.base_url) == host), None)


def _hosts(config: Config) -> Iterator[str]:
    return (one.site.base_url for one in installations(config))


class Opened(Struct, frozen=True, kw_only=True):
    """An adapter with the means it works with."""

    installation: Installation
    forge: Forge
    means: ForgeMeans


def open_installation(bench: "Workbench", one: Installation, control: ControlClient) -> Opened:
    """The adapter of an installation. Raises: PL-SECRET-READ."""
    means = ForgeMeans(site=one.site, control=control, token=one.token(bench), now=bench.now)
    return Opened(installation=one, forge=one.kind.open(means), means=means)
