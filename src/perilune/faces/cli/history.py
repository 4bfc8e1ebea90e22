"""`perilune history`: what was used, by day, hour, model, route, key or account."""

from datetime import datetime, tzinfo
from typing import Protocol, get_args

import click

from perilune.core.errors import UsageError
from perilune.faces.cli.session import Session
from perilune.faces.since import since as moment_of
from perilune.quota.history import By, HistoryDocument

_DEFAULTS = {"hour": "24h"}
_MONTH = "30d"


class HistoryServices(Protocol):
    """What this command needs of the workbench."""

    def now(self) -> datetime: ...
    def history(self, since: datetime, by: By, zone: tzinfo, *, with_cycles: bool) -> HistoryDocument: ...


@click.command("history")
@click.option("--since", metavar="TIME")
@click.option("--by", type=click.Choice(get_args(By)), default="day")
@click.option("--csv", "is_csv", is_flag=True)
@click.option("--json", "is_json", is_flag=True)
@click.pass_obj
def command(session: Session, since: str | None, by: By, is_csv: bool, is_json: bool) -> int:
    """Tell what the store recorded; nothing is sent."""
    services: HistoryServices = session.workbench
    if is_csv and is_json:
        choices = "--csv, --json"
        raise UsageError.of("PL-USAGE", variant="one_of", command="perilune history", option="…", choices=choices)
    voice, text = session.voice, since or _DEFAULTS.get(by, _MONTH)
    start = moment_of(text, services.now(), voice.zone)
    if start is None:
        raise UsageError.of("PL-USAGE", variant="since", command="perilune history", value=text)
    is_verbose = session.flags.verbose > 0
    document = services.history(start, by, voice.zone, with_cycles=is_json or is_verbose)
    if is_json:
        session.document(document)
    elif is_csv:
        from perilune.faces.text.history_csv import history_csv

        session.machine_text(history_csv(document))
    else:
        from perilune.faces.text.history import history_lines

        lines = history_lines(document, voice, session.out.columns, is_verbose=is_verbose)
        session.answer("\n".join(lines))
    return 0
