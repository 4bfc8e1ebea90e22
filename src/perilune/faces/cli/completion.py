"""`perilune completion`: the script that a shell completes this command with."""

import click

from perilune.faces.cli.completing.scripts import SCRIPTS
from perilune.faces.cli.help import Page
from perilune.faces.cli.session import Session


@click.command("completion", cls=Page)
@click.argument("shell", type=click.Choice(tuple(SCRIPTS)))
@click.pass_obj
def command(session: Session, shell: str) -> None:
    session.machine_text(SCRIPTS[shell])
