"""Slots and routes as the hot path uses them: what configuration decides is decided before a request comes."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import cast

from msgspec import Struct, field
from msgspec.structs import replace

from perilune.catalog.load import Catalogue
from perilune.catalog.models import Model
from perilune.catalog.plan import Plan, Region, Surface
from perilune.config.schema import AccountConfig, Config, RouteConfig, SlotConfig
from perilune.core.secret import Secret
from perilune.gateway.floors import Floors, floors_of
from perilune.gateway.state_rules import Scope
from perilune.net.upstream import Target
from perilune.net.upstream_map import dialled
from perilune.providers.contract import send as free_send
from perilune.providers.contract.classify import Classifier
from perilune.providers.contract.registry import Provider
from perilune.providers.contract.send import Sender, Ways

_PATHS: dict[Surface, str] = {"chat": "/chat/completions", "responses": "/responses", "messages": "/v1/messages"}
Traits = Callable[[str, str, str], Model | None]


class Slot(Struct, frozen=True, kw_only=True):
    """One place of a route, resolved.

    Shape: `name` is `account/model`; `group` the account group whose cap counts; `bases` the addresses by surface,
    `targets` the same as they are dialled, with their paths; `may_use_extra` says that a full window need not stop it;
    `looks_like` the plan whose keys begin like this one's, where that is another plan.
    """

    name: str
    account: str
    group: str
    plan: Plan
    region: Region | None
    config: SlotConfig
    key: Secret | None
    auth: str | None
    bases: dict[Surface, str]
    host: str
    is_guarded: bool
    sender: Sender
    classifier: Classifier | None
    ways: Ways
    looks_like: str | None = None
    floors: Floors = Floors()
    may_use_extra: bool = False
    targets: dict[Surface, Target] = field(default_factory=dict)

    @property
    def costs_quota(self) -> bool:
        """True where use is counted in windows, not in money."""
        return self.plan.unit == "quota"

    def target(self, surface: Surface) -> Target:
        """Where requests of this surface go."""
        return self.targets[surface]

    def count_target(self) -> Target | None:
        """Where tokens of a Messages request are counted."""
        target = self.targets.get("messages")
        return None if target is None else replace(target, path=f"{target.path}/count_tokens")

    def tokenizer_target(self) -> Target | None:
        """Where the account's own tokenizer answers, None where the plan has none."""
        path = getattr(self.sender, "TOKENIZER_PATH", None)
        target = self.targets.get("chat")
        if path is None or target is None:
            return None
        return replace(target, path=target.path.removesuffix(_PATHS["chat"]) + path)

    def auth_header(self) -> tuple[str, str] | None:
        """The header with the key, None for an endpoint without one."""
        if self.key is None:
            return None
        name = self.sender.auth_header(self.host, self.auth)
        return (name, self.key.reveal() if name == "x-api-key" else f"Bearer {self.key.reveal()}")

    def scope_of(self, scope: Scope, surface: str, agent: str, model: str) -> str:
        """The name of one of this slot's scopes."""
        match scope:
            case Scope.GROUP:
                return f"group:{self.group}"
            case Scope.ACCOUNT:
                return f"account:{self.account}"
            case Scope.SURFACE:
                return f"surface:{self.account}/{surface}"
            case Scope.AGENT:
                return f"agent:{self.account}/{surface}/{agent}"
            case Scope.SLOT:
                return f"slot:{self.account}/{model}"
            case Scope.HOST:
                return f"host:{self.host}"


class Route(Struct, frozen=True, kw_only=True):
    """An ordered list of slots for the models that match."""

    name: str
    config: RouteConfig
    slots: tuple[Slot, ...]


class Routes:
    """All routes in file order; the first whose globs fit the whole model name takes a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.all = tuple(routes)
        self._known: dict[str, Route | None] = {}

    def match(self, model: str) -> Route | None:
        """The route of a model name."""
        if model in self._known:
            return self._known[model]
        found = next((route for route in self.all if any(fnmatchcase(model, g) for g in route.config.match)), None)
        if len(self._known) < 4096 and len(model) <= 200:
            self._known[model] = found
        return found

    def named(self, name: str) -> Route | None:
        """The route of that name."""
        return next((route for route in self.all if route.name == name), None)


class Resolver(Struct, kw_only=True):
    """What slots are resolved with: everything `compose` hands in."""

    config: Config
    providers: Mapping[str, Provider]
    catalogue: Catalogue
    secrets: Mapping[str, Secret]
    groups: Mapping[str, str] = {}
    upstream: str | None = None

    def routes(self) -> Routes:
        """The configured routes, or the implicit one: every account in file order with its card's model."""
        configured = self.config.gateway.routes or (self._implicit(),)
        return Routes([self._route(route) for route in configured])

    def _implicit(self) -> RouteConfig:
        usable = [account for account in self.config.accounts if not self._is_unusable(account)]
        slots = tuple(SlotConfig(account=account.name, model=self._card_model(account)) for account in usable)
        return RouteConfig(name="default", slots=slots)

    def _route(self, route: RouteConfig) -> Route:
        accounts = {account.name: account for account in self.config.accounts}
        known = [(slot, accounts[slot.account]) for slot in route.slots if slot.account in accounts]
        slots = tuple(self._slot(slot, account) for slot, account in known if not self._is_unusable(account))
        return Route(name=route.name, config=route, slots=slots)

    def _is_unusable(self, account: AccountConfig) -> bool:
        provider = self.providers.get(account.plan)
        if account.paused or provider is None or provider.plan.is_read_only:
            return True
        return account.base_url is None and not provider.plan.regions

    def _card_model(self, account: AccountConfig) -> str | None:
        return self.providers[account.plan].plan.default_model

    def _other_plan(self, own: Plan, key: Secret | None) -> str | None:
        """The plan whose prefix fits a key best, None where that is its own or none fits."""
        if key is None or not own.key_prefixes:
            return None
        plans = [provider.plan for provider in self.providers.values()]
        best = max(plans, key=lambda plan: _longest_prefix(plan, key.reveal()), default=own)
        fits_better = _longest_prefix(best, key.reveal()) > _longest_prefix(own, key.reveal())
        return best.label if fits_better else None

    def _slot(self, slot: SlotConfig, account: AccountConfig) -> Slot:
        provider = self.providers[account.plan]
        plan = provider.plan
        region = plan.region(account.region)
        bases = _bases(plan, region, account.base_url)
        host = Target.of(next(iter(bases.values()))).host
        sender = cast("Sender", provider.module("send") or free_send)
        errors = provider.module("errors")
        is_guarded = account.base_url is not None and self.upstream is None
        paths = {surface: dialled(base + _path(surface, base), self.upstream) for surface, base in bases.items()}
        return Slot(
            name=f"{account.name}/{slot.model or '*'}",
            account=account.name,
            group=self.groups.get(account.name, account.name),
            plan=plan,
            region=region,
            config=slot,
            key=self.secrets.get(account.name),
            auth=account.auth,
            bases=bases,
            host=host,
            is_guarded=is_guarded,
            sender=sender,
            classifier=None if errors is None else errors.classify,
            ways=sender.ways(host),
            floors=floors_of(slot.min_left, self.config.gateway.min_left),
            may_use_extra=account.extra_usage,
            looks_like=self._other_plan(plan, self.secrets.get(account.name)),
            targets={surface: Target.of(url, is_guarded=is_guarded) for surface, url in paths.items()},
        )


def _longest_prefix(plan: Plan, text: str) -> int:
    return max((len(prefix) for prefix in plan.key_prefixes if text.startswith(prefix)), default=0)


def _bases(plan: Plan, region: Region | None, base_url: str | None) -> dict[Surface, str]:
    if base_url is not None:
        return dict.fromkeys(plan.surfaces, base_url.rstrip("/"))
    chosen = region or (plan.regions[0] if plan.regions else None)
    return {} if chosen is None else {surface: chosen.bases[surface] for surface in plan.surfaces}


def _path(surface: Surface, base: str) -> str:
    """The path behind a base; a Messages base may be written with or without `/v1`."""
    if surface == "messages" and base.endswith("/v1"):
        return "/messages"
    return _PATHS[surface]
