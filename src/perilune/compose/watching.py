"""What alerts and channels are made of: settings, secrets, routes and the reader of a configuration."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING

from perilune.compose.gateway_keys import slots_by_route
from perilune.config.schema import Config
from perilune.core.messages import Voice, pick_language
from perilune.faces.cli.zones import reader_zone
from perilune.monitor.alert import Successor
from perilune.monitor.notify.channels import Outlet, Surroundings, outlet_of
from perilune.net.control import ControlClient
from perilune.net.guard import Allowed
from perilune.net.upstream_map import VARIABLE, parse_upstream
from perilune.quota.alerts.model import AlertRules
from perilune.quota.status import Judged
from perilune.quota.workdays import WorkWeek

if TYPE_CHECKING:
    from perilune.catalog.plan import Plan
    from perilune.compose.workbench import Workbench


def rules_of(bench: "Workbench", config: Config) -> AlertRules:
    """The alert rules of a configuration."""
    alerts = config.alerts
    return AlertRules(
        levels=alerts.levels,
        floors={code: Decimal(amount) for code, amount in alerts.balance_floor.items()},
        few_days=Decimal(str(alerts.days_left)) if alerts.days_left else None,
        is_early_on=alerts.early,
        week=WorkWeek(frozenset(config.pace.work_days), zone_of(bench, config)),
    )


def zone_of(bench: "Workbench", config: Config) -> tzinfo:
    """The zone of whoever reads notifications."""
    return reader_zone(None, bench.environment, config.display.tz)


def voice_of(bench: "Workbench", config: Config) -> Voice:
    """How whoever reads notifications hears things."""
    return Voice(
        language=pick_language(bench.environment, config.display.lang),
        zone=zone_of(bench, config),
        now=bench.now(),
        clock_format=config.display.clock,
        with_currency_codes=True,
    )


def outlets_of(bench: "Workbench", config: Config, client: ControlClient) -> list[Outlet]:
    """The channels of a configuration."""
    around = surroundings(bench, config, client)
    return [outlet_of(one, around) for one in config.notify]


def surroundings(bench: "Workbench", config: Config, client: ControlClient) -> Surroundings:
    """What channels are built with."""
    return Surroundings(
        client=client,
        read=bench.vault.read_text,
        environment=bench.environment,
        allowed=Allowed.of(config.gateway.allow_private),
        now=bench.now,
        upstream=parse_upstream(bench.environment.get(VARIABLE)),
    )


def successor_in(
    config: Config, plans: "Mapping[str, Plan]"
) -> Callable[[str, Mapping[str, Judged]], Successor | None]:
    """Who serves in an account's place: the next usable slot of the first route that has it."""
    routes = slots_by_route(config)
    plan_of = {account.name: account.plan for account in config.accounts}

    def successor(account: str, judged: Mapping[str, Judged]) -> Successor | None:
        route = next((slots for slots in routes.values() if account in slots), [])
        for other in route:
            is_usable = other in judged and judged[other].verdict.usable is not False
            if other != account and is_usable:
                plan = plans.get(plan_of.get(other, ""))
                return Successor(other, plan is not None and plan.unit != "quota")
        return None

    return successor
