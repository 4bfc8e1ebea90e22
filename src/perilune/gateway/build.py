"""Putting the gateway together from what `compose` hands in."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from perilune.catalog.load import Catalogue
from perilune.config.schema import Config
from perilune.core.addresses import is_loopback
from perilune.core.messages import Language
from perilune.core.secret import Secret
from perilune.dialects.seal import Seal
from perilune.gateway.admission import Admission
from perilune.gateway.clocks import Clocks
from perilune.gateway.core import Core
from perilune.gateway.counting import TokenCounter
from perilune.gateway.dispatch import Dispatcher
from perilune.gateway.door import Door, KeyBook
from perilune.gateway.intake import App
from perilune.gateway.lane import Lane
from perilune.gateway.ports import Accounts, Ledger, NoPurse, Purse
from perilune.gateway.rates import Rate, Rates
from perilune.gateway.room import Room
from perilune.gateway.server import Surface
from perilune.gateway.setup import Counters, LiveTraits, Services, Setup
from perilune.gateway.shared_thoughts import SharedThoughts
from perilune.gateway.slots import Resolver
from perilune.gateway.states import ScopeState, States, StateStore
from perilune.gateway.sticky import Stays
from perilune.gateway.thoughts import ThoughtStore
from perilune.net.guard import Allowed
from perilune.net.upstream import ThinClient, Upstream
from perilune.providers.contract.registry import Provider
from perilune.store.engine import Store


class Parts(Struct, kw_only=True):
    """What the gateway is built from.

    Shape: `secrets` and `groups` by account name; `upstream` the address that stands in for official hosts; `seal_key`
    32 bytes or more; `store` is where shared thoughts are kept; `on_change` hears of each scope that opens (True) or
    closes (False).
    """

    config: Config
    providers: Mapping[str, Provider]
    catalogue: Catalogue
    secrets: Mapping[str, Secret]
    admission: Admission
    accounts: Accounts
    ledger: Ledger
    seal_key: bytes
    groups: Mapping[str, str] = {}
    upstream: str | None = None
    client: Upstream | None = None
    states: StateStore | None = None
    store: Store | None = None
    restored: tuple[ScopeState, ...] = ()
    on_change: Callable[[ScopeState, bool], None] | None = None
    keys: KeyBook | None = None
    purse: Purse | None = None
    on_rate: Callable[[str, str, int], None] | None = None
    token: Secret | None = None
    fallback: App | None = None
    language: Language = "en"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random


class Gateway:
    """The built gateway: `asgi` and `lane` for the service, `core` for callers in the process, `reload`, `close`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        allowed = Allowed.of(parts.config.gateway.allow_private)
        self._client = parts.client or ThinClient(allowed=allowed)
        states = States(parts.states, parts.on_change)
        states.restore(parts.restored)
        services = Services(
            admission=parts.admission,
            states=states,
            dispatcher=Dispatcher(self._client, parts.now),
            accounts=parts.accounts,
            ledger=parts.ledger,
            now=parts.now,
            jitter=parts.jitter,
            seal=Seal(parts.seal_key),
            thoughts=_thoughts(parts),
            stays=Stays(),
            live_traits=LiveTraits(),
            counters=Counters(),
            rates=Rates(parts.on_rate),
            room=Room(parts.accounts),
            purse=parts.purse or NoPurse(),
        )
        self.core = Core(services, _setup(parts))
        self._door = _door(parts)
        counter = TokenCounter(self._client, parts.now)
        self.asgi = Surface(self.core, lambda: self._door, counter, parts.fallback)
        self.lane: Lane | None = None
        if isinstance(self._client, ThinClient):
            self.lane = Lane(self.core, self.asgi, lambda: self._door, self._client)
        _configure_caps(parts)
        _configure_rates(parts, services.rates)

    def reload(self, config: Config, secrets: Mapping[str, Secret], groups: Mapping[str, str] | None = None) -> None:
        """Another version of the configuration for new requests, at once and as a whole."""
        parts = self._parts
        if config.gateway.reasoning_store != parts.config.gateway.reasoning_store:
            parts.config = config
            self.core.services.thoughts = _thoughts(parts)
        parts.config, parts.secrets = config, secrets
        parts.groups = parts.groups if groups is None else groups
        self.core.reload(_setup(parts))
        self._door = _door(parts)
        _configure_caps(parts)
        _configure_rates(parts, self.core.services.rates)

    async def close(self, drain_s: float | None = None) -> None:
        """Take nothing new, let running answers finish, then close every connection."""
        config = self.core.setup.config
        await self.core.drain(config.drain_s if drain_s is None else drain_s)
        await self._client.close()


def build_gateway(parts: Parts) -> Gateway:
    """The gateway, ready to answer inside a running event loop."""
    return Gateway(parts)


def _thoughts(parts: Parts) -> ThoughtStore | None:
    match parts.config.gateway.reasoning_store:
        case "off":
            return None
        case "shared" if parts.store is not None:
            return SharedThoughts(parts.store, Seal(parts.seal_key), parts.now)
        case _:
            return ThoughtStore()


def _setup(parts: Parts) -> Setup:
    resolver = Resolver(
        config=parts.config,
        providers=parts.providers,
        catalogue=parts.catalogue,
        secrets=parts.secrets,
        groups=parts.groups,
        upstream=parts.upstream,
    )
    return Setup(
        config=parts.config.gateway,
        routes=resolver.routes(),
        clocks=Clocks.of(parts.config.gateway),
        agents=parts.catalogue.agents,
        language=parts.language,
    )


def _door(parts: Parts) -> Door:
    config = parts.config.gateway
    host = config.listen.rpartition(":")[0].strip("[]")
    return Door(
        listens_on_loopback=is_loopback(host),
        requires_key=config.require_key,
        hosts=(*config.hosts, host),
        token=parts.token,
        keys=parts.keys,
    )


def _configure_caps(parts: Parts) -> None:
    """The cap of a group is the smallest that one of its accounts has."""
    caps: dict[str, list[int]] = {}
    for account in parts.config.accounts:
        provider = parts.providers.get(account.plan)
        default = provider.plan.default_cap if provider is not None else None
        cap = account.max_concurrent_requests or default
        caps.setdefault(parts.groups.get(account.name, account.name), []).extend([] if cap is None else [cap])
    for group, found in caps.items():
        parts.admission.configure(group, min(found, default=None))


def _configure_rates(parts: Parts, rates: Rates) -> None:
    """As with caps: the least of a group's accounts counts."""
    found: dict[str, Rate] = {}
    for account in parts.config.accounts:
        group = parts.groups.get(account.name, account.name)
        found[group] = Rate(account.rpm, account.tpm).within(found.get(group, Rate()))
    rates.configure(found)
