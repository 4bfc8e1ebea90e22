"""Orders the slots of a route in the configuration; nothing of a slot is lost."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec.structs import asdict, replace

from perilune.config.edit import append_table, set_value
from perilune.config.file import edit_file
from perilune.config.load import parse
from perilune.config.overrides import override_problem
from perilune.config.schema import AccountConfig, SlotConfig
from perilune.core.errors import ConfigError, UsageError
from perilune.core.nearest import nearest

if TYPE_CHECKING:
    from perilune.catalog.plan import Plan
    from perilune.config.load import Loaded
    from perilune.config.paths import Paths


class RoutingServices(Protocol):
    """What ordering needs."""

    @property
    def paths(self) -> "Paths": ...
    @property
    def plans(self) -> "Mapping[str, Plan]": ...
    def configuration(self, flags: Mapping[str, Any] | None = None) -> "Loaded": ...


Overrides = Mapping[str, dict[str, Any] | None]


def read_overrides(given: Sequence[str], services: RoutingServices) -> Overrides:
    """`ACCOUNT=JSON` as overrides by account; `null` takes one away.

    Raises: PL-USAGE for a text that is no such pair, PL-CONFIG-VALUE for what an override may not hold.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for text in given:
        account, is_pair, said = text.partition("=")
        try:
            value = msgspec.json.decode(said) if is_pair else ()
        except msgspec.DecodeError:
            value = ()
        if value is not None and not isinstance(value, dict):
            raise UsageError.of(
                "PL-USAGE", variant="choice", option="--override", value=text[:60], choices="ACCOUNT={JSON}"
            )
        problem = None if value is None else override_problem(value, services.plans, f"--override {account}")
        if problem is not None:
            raise ConfigError(problem)
        found[account] = value
    return found


def order_route(
    services: RoutingServices, name: str, accounts: Sequence[str], overrides: Overrides | None = None
) -> list[str]:
    """Put the named accounts first, in this order; what else the route has stays behind them. Gives the new order.

    Raises: PL-ACCOUNT-NAME for an unknown account, PL-GW-ROUTE for an unknown route beside others.
    """
    config = services.configuration().config
    known = {account.name: account for account in config.accounts}
    for account in (*accounts, *(overrides or {})):
        if account not in known:
            near = nearest(account, known)
            raise UsageError.of(
                "PL-ACCOUNT-NAME", variant="unknown" if near else "unknown_far", name=account, nearest=near
            )
    route = next((one for one in config.gateway.routes if one.name == name), None)
    if route is None and config.gateway.routes:
        routes = ", ".join(one.name for one in config.gateway.routes)
        raise UsageError.of("PL-GW-ROUTE", variant="NAME", name=name, routes=routes)
    before = route.slots if route is not None else tuple(_own_slot(one, services) for one in config.accounts)
    slots = _ordered(before, [known[account] for account in accounts], services)
    changed = overrides or {}
    slots = [replace(slot, override=changed.get(slot.account, slot.override)) for slot in slots]
    _write(services, name, slots)
    return [slot.account for slot in slots]


def _ordered(
    before: Sequence[SlotConfig], first: Sequence[AccountConfig], services: RoutingServices
) -> list[SlotConfig]:
    front: list[SlotConfig] = []
    for account in first:
        own = [slot for slot in before if slot.account == account.name]
        front += own or [_own_slot(account, services)]
    return front + [slot for slot in before if slot not in front]


def _own_slot(account: AccountConfig, services: RoutingServices) -> SlotConfig:
    plan = services.plans.get(account.plan)
    return SlotConfig(account=account.name, model=plan.default_model if plan else None)


def _write(services: RoutingServices, name: str, slots: Sequence[SlotConfig]) -> None:
    tables = [_table(slot) for slot in slots]

    def edit(text: str) -> str:
        routes = parse(text, services.paths.config_file.name).get("gateway", {}).get("routes", [])
        for index, route in enumerate(routes):
            if route.get("name") == name:
                return set_value(text, ("gateway", "routes", index, "slots"), tables)
        return append_table(text, ("gateway", "routes"), {"name": name, "match": ["*"], "slots": tables})

    edit_file(services.paths.config_file, edit)


def _table(slot: SlotConfig) -> dict[str, object]:
    empty = asdict(SlotConfig(account=slot.account))
    said = {key: value for key, value in asdict(slot).items() if value != empty[key]}
    return {"account": slot.account} | said
