"""What the configured accounts come to: their keys, groups and caps, and the catalogue they are looked up in."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from perilune.catalog import load as catalogues
from perilune.catalog.load import Catalogue, Document
from perilune.config.schema import Config
from perilune.core.errors import PeriluneError
from perilune.core.secret import Secret
from perilune.providers.contract.own_catalogue import own_documents
from perilune.providers.contract.registry import providers

if TYPE_CHECKING:
    from perilune.compose.monitoring import Monitoring
    from perilune.compose.workbench import Workbench
    from perilune.quota.held import Known

CAP = "concurrency"


def catalogue_of(bench: "Workbench") -> Catalogue:
    """The shipped catalogue with what providers and the user add to it."""
    file = bench.paths.config_file.with_name("catalogue.toml")
    own = Document(str(file), file.read_text(encoding="utf-8")) if file.is_file() else None
    return catalogues.load(own_documents(providers().values()), own)


def known_of(monitoring: "Monitoring") -> "Mapping[str, Known]":
    """The accounts by name, as the quota rules need them."""
    return {account.name: monitoring.known(account) for account in monitoring.config.accounts}


def secrets_of(bench: "Workbench", config: Config) -> dict[str, Secret]:
    """The keys that can be read; an account whose key cannot is refused by its vendor, and status says why."""
    secrets = {}
    for account in config.accounts:
        try:
            if account.key:
                secrets[account.name] = bench.vault.read(account.key, account.name)
        except PeriluneError:
            continue
    return secrets


def learned_caps(monitoring: "Monitoring", now: datetime) -> Iterator[tuple[str, int, float]]:
    """What refusals taught about caps and is kept. Shape: group, cap, and the seconds for which it is believed."""
    for lesson in monitoring.learned():
        if lesson.name == CAP and lesson.until is not None and lesson.value.isdigit():
            yield lesson.scope, int(lesson.value), (lesson.until - now).total_seconds()
