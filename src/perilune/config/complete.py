"""From what was loaded to what holds: implied accounts, fixed mode, and the rules beyond types."""

from collections.abc import Mapping

import msgspec

from perilune.catalog.plan import Plan
from perilune.config.fixed import fixed_mode
from perilune.config.implied import Implied, implied_accounts
from perilune.config.layout import scan
from perilune.config.load import Loaded, Origin
from perilune.config.validate import check
from perilune.core.errors import ConfigError


def complete(loaded: Loaded, environment: Mapping[str, str], plans: Mapping[str, Plan]) -> Loaded:
    """The configuration with the accounts that the environment implies, checked.

    Raises: the first PL-CONFIG-… of the file.
    """
    fixed = None if loaded.exists else fixed_mode(environment, plans).config
    if fixed is not None:
        gateway = msgspec.structs.replace(loaded.config.gateway, routes=fixed.gateway.routes)
        config = msgspec.structs.replace(loaded.config, accounts=fixed.accounts, gateway=gateway)
        loaded = msgspec.structs.replace(loaded, config=config)
    implied = implied_accounts(environment, plans, loaded.config.accounts) if fixed is None else Implied()
    checked = check(loaded.config, plans, scan(loaded.text), loaded.file.name, implied.accounts)
    if checked.problems:
        raise ConfigError(checked.problems[0])
    written: Origin = "fixed" if fixed is not None else "file"
    origins: dict[str, Origin] = {account.name: written for account in checked.config.accounts}
    origins |= {account.name: "environment" for account in implied.accounts}
    accounts = (*checked.config.accounts, *implied.accounts)
    return msgspec.structs.replace(
        loaded,
        config=msgspec.structs.replace(checked.config, accounts=accounts),
        warnings=(*loaded.warnings, *checked.warnings, *implied.warnings),
        origins=origins,
    )
