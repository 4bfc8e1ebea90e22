"""`perilune forecast`: how long what is left will last."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import click

from perilune.core.messages import Voice
from perilune.faces.cli.session import Session
from perilune.faces.text.forecast import forecast_lines
from perilune.quota.document import StatusDocument
from perilune.quota.forecast import forecast
from perilune.quota.samples import History


class Monitoring(Protocol):
    """What this command needs of the monitor."""

    def status(
        self, names: Sequence[str], voice: Voice, *, is_verbose: bool = False, shows_first_failure: bool = False
    ) -> StatusDocument: ...
    def histories(self) -> Mapping[str, History]: ...
    def needs_reading(self, names: Sequence[str], *, is_asked: bool = False) -> bool: ...
    def read(self, names: Sequence[str], *, is_asked: bool = False) -> None: ...


class ForecastServices(Protocol):
    """What this command needs of the workbench."""

    @property
    def monitoring(self) -> Monitoring: ...


@click.command("forecast")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "is_json", is_flag=True)
@click.pass_obj
def command(session: Session, names: tuple[str, ...], is_json: bool) -> int:
    """Read what is older than a minute, then tell when each window and balance runs out."""
    services: ForecastServices = session.workbench
    monitoring = services.monitoring
    if monitoring.needs_reading(names):
        monitoring.read(names)
    status = monitoring.status(names, session.voice)
    document = forecast(status, monitoring.histories())
    if is_json:
        session.document(document)
    else:
        lines = forecast_lines(document, session.voice, session.out.columns, is_verbose=session.flags.verbose > 0)
        session.answer("\n".join(lines))
        for error in document.errors:
            who = f" {error.account}" if error.account else ""
            session.note(f"{session.voice.say('common.error')}[{error.code}]{who}: {error.message}")
    from perilune.faces.cli.status import exit_code_of

    return exit_code_of(status)
