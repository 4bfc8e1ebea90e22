"""Wires an account's credential sources: its key, the vendor CLI's login, sessions of the web site."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from perilune.catalog.plan import Plan, Region
from perilune.config.schema import AccountConfig
from perilune.core.addresses import host_of
from perilune.core.errors import CredentialError, Problem
from perilune.monitor.sources import SourceOption
from perilune.net.upstream_map import VARIABLE, parse_upstream
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.sources import (
    LoginReader,
    SessionReader,
    Surroundings,
    login_reader,
    session_reader,
)
from perilune.quota.snapshot import Source
from perilune.quota.sources import sources_of

if TYPE_CHECKING:
    from perilune.vault.vault import Vault


class AccountSources:
    """The sources of one account of the configuration. Nothing is opened before it is asked for."""

    def __init__(
        self,
        account: AccountConfig,
        plan: Plan,
        region: Region,
        bind_key: Callable[[], Binding],
        vault: "Callable[[], Vault]",
        environment: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._account, self._plan, self._region = account, plan, region
        self._bind_key, self._vault, self._environment, self._clock = bind_key, vault, environment, clock
        self._logins: LoginReader | None = login_reader(plan.id)
        self._sessions: SessionReader | None = session_reader(plan.id)

    def options(self) -> tuple[SourceOption, ...]:
        """The sources in order. An account with an address of its own is read there, by its key alone."""
        mode = self._account.source
        if mode == "auto" and self._account.base_url:
            mode = "api-key"
        return tuple(self._option(source) for source in sources_of(mode) if mode != "auto" or self._has(source))

    def sessions(self) -> Callable[[], Iterator[Binding]] | None:
        """Web sessions that may enrich what the key reads, None where that is off."""
        is_on = self._account.cookie_source != "off" and self._sessions is not None and not self._account.base_url
        return self._web if is_on else None

    def _has(self, source: Source) -> bool:
        match source:
            case "api-key":
                return True
            case "cli-login":
                return self._logins is not None
            case "web-session":
                return self._sessions is not None

    def _option(self, source: Source) -> SourceOption:
        key_host = host_of(self._account.base_url or self._region.read_base)
        match source:
            case "api-key":
                return SourceOption(source=source, host=key_host, open=lambda: iter((self._bind_key(),)))
            case "cli-login":
                return SourceOption(source=source, host=host_of(self._region.read_base), open=self._login)
            case "web-session":
                is_late = self._account.cookie_source == "auto"
                host = host_of(self._region.web or self._region.read_base)
                return SourceOption(source=source, host=host, open=self._web, is_late=is_late)

    def _login(self) -> Iterator[Binding]:
        if self._logins is None:
            raise self._none("PL-CRED-NONE")
        yield self._logins.bind_login(self._account.name, self._plan, self._region, self._around())

    def _web(self) -> Iterator[Binding]:
        """Pasted, then from the environment, then, where that is allowed, from programs and browsers."""
        if self._sessions is None:
            raise self._none("PL-CRED-NONE")
        around, first = self._around(), None
        for look in (self._pasted, self._set):
            try:
                found = look(self._sessions, around)
            except CredentialError as error:
                first = first or error
                continue
            if found is not None:
                yield found
        if self._account.cookie_source == "auto":
            browser = self._account.browser
            yield from self._sessions.bind_stored(self._account.name, self._plan, self._region, around, browser=browser)
        elif first is not None:
            raise first
        else:
            raise self._none("PL-COOKIE-NONE", variant="manual")

    def _pasted(self, sessions: SessionReader, around: Surroundings) -> Binding | None:
        reference = self._account.web_session
        if not reference or self._account.cookie_source == "off":
            return None
        text = self._vault().read(reference, self._account.name)
        return sessions.bind_pasted(self._account.name, self._plan, self._region, text, around)

    def _set(self, sessions: SessionReader, around: Surroundings) -> Binding | None:
        return sessions.bind_environment(self._account.name, self._plan, self._region, around)

    def _around(self) -> Surroundings:
        return Surroundings(
            environment=self._environment,
            home=Path.home(),
            now=self._clock(),
            upstream=parse_upstream(self._environment.get(VARIABLE)),
            salt=self._vault().fingerprint_key,
        )

    def _none(self, code: str, variant: str = "") -> CredentialError:
        facts = {"site": self._region.site}
        return CredentialError(Problem(code=code, variant=variant, facts=facts, account=self._account.name))
