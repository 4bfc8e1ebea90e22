"""Wires the file that status lines read: the configuration's facts beside the status document."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from perilune.catalog.plan import Plan
from perilune.config.paths import Paths, find_paths
from perilune.config.schema import Config
from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.quota.document import StatusDocument
from perilune.quota.line import AccountFacts, LineDisplay, LineFacts, LineRoute, line_of
from perilune.store.line import save_line


def keep_line(
    document: StatusDocument, paths: Paths, config: Config, plans: Mapping[str, Plan], service: int | None = None
) -> None:
    """Write what status lines show; to be called whenever a snapshot, a failure or a refusal was saved.

    Shape: `document` holds every account; `service` is the process that will go on doing so.
    """
    save_line(paths.line_file, line_of(document, line_facts(config, plans, service)))


def line_facts(config: Config, plans: Mapping[str, Plan], service: int | None = None) -> LineFacts:
    """What a status line shows beside the status document."""
    display = config.display
    return LineFacts(
        accounts={
            account.name: _account(plans.get(account.plan), account.region, config) for account in config.accounts
        },
        routes=[
            LineRoute(route.name, tuple(dict.fromkeys(slot.account for slot in route.slots)))
            for route in config.gateway.routes
        ],
        display=LineDisplay(
            percent=display.percent,
            clock=display.clock,
            ambiguous_width=display.ambiguous_width,
            lang=display.lang,
            tz=display.tz,
        ),
        listen=config.gateway.listen,
        service=service,
    )


def remake_line() -> None:
    """Write the line anew from the store, without any call. What cannot be read leaves the old line, as of now."""
    from perilune.compose.workbench import Workbench

    bench: Any = Workbench()
    try:
        monitoring = bench.monitoring
        document = monitoring.status((), Voice(now=datetime.now(UTC)))
        keep_line(document, bench.paths, monitoring.config, bench.plans)
    except PeriluneError:
        # Also without an account: the line must not be made again at every start until that is put right.
        line_file = find_paths(os.environ).line_file
        if line_file.exists():
            os.utime(line_file)


def _account(plan: Plan | None, region_id: str, config: Config) -> AccountFacts:
    if plan is None:
        return AccountFacts(interval_s=config.monitor.interval_s)
    region = plan.region(region_id)
    return AccountFacts(
        plan_label=plan.label,
        vendor=plan.vendor or plan.label,
        hosts=region.hosts if region else (),
        interval_s=max(config.monitor.interval_s, plan.poll_interval_s),
    )
