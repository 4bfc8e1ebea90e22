"""Wires the file that status lines read: the configuration's facts beside the status document."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import msgspec

from perilune.catalog.plan import Plan
from perilune.config.paths import Paths
from perilune.config.schema import Config
from perilune.core.decoding import decoded
from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.faces.statusline.nudge import is_served
from perilune.quota.document import StatusDocument
from perilune.quota.line import AccountFacts, Line, LineDisplay, LineFacts, LineRoute, line_of
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
    """Write the line anew from the store, without any call.

    Where that cannot be done, the line says why: it must not be tried again at every start until it is put right.
    """
    from perilune.compose.workbench import Workbench

    bench = Workbench()
    try:
        monitoring = bench.monitoring
        document = monitoring.status((), Voice(now=bench.now()))
        keep_line(document, bench.paths, monitoring.config, bench.plans)
    except PeriluneError as error:
        fault = None if error.problem.code == "PL-ACCOUNT-NONE" else error.problem.code
        line = Line(written_at=int(bench.now().timestamp()), accounts=(), fault=fault)
        with suppress(OSError):
            save_line(bench.paths.line_file, line)


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


def serving_process(paths: Paths, now: datetime) -> int | None:
    """The running service that reads the accounts and keeps what status lines show; None where there is none."""
    try:
        line = decoded(paths.line_file.read_bytes(), Line)
    except (OSError, msgspec.DecodeError):
        return None
    return line.service if is_served(line, int(now.timestamp())) else None
