"""`perilune metrics`: one Prometheus exposition."""

from typing import Protocol

import click

from perilune.faces.cli.help import Page
from perilune.faces.cli.session import Session


class MetricsServices(Protocol):
    """What this command needs of the workbench."""

    def metrics(self) -> bytes: ...


@click.command("metrics", cls=Page)
@click.pass_obj
def command(session: Session) -> None:
    services: MetricsServices = session.workbench
    session.machine_text(services.metrics().decode())
