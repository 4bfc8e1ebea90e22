"""`perilune statusline` for help, completion and global flags in front of it; drawing is `faces.statusline`.

`perilune statusline …` itself never comes here: `__main__` draws it before click is imported.
"""

from typing import Literal

import click

from perilune.faces.cli.session import Session
from perilune.faces.statusline.options import TARGETS, Options
from perilune.faces.statusline.run import run


@click.command("statusline")
@click.option("--for", "target", type=click.Choice(TARGETS), default="plain", metavar="HOST")
@click.option("--account", metavar="NAME")
@click.option("--format", "template", metavar="TEXT")
@click.option("--used", "percent", flag_value="used")
@click.option("--left", "percent", flag_value="left")
@click.option("--all", "is_all", is_flag=True)
@click.option("--once", "is_once", is_flag=True)
@click.pass_obj
def command(
    session: Session,
    target: str,
    account: str | None,
    template: str | None,
    percent: Literal["used", "left"] | None,
    is_all: bool,
    is_once: bool,
) -> int:
    """Print one line for a prompt or a bar."""
    options = Options()
    options.target, options.account, options.template = target, account, template
    options.percent, options.is_all, options.is_once = percent, is_all, is_once
    options.lang, options.zone = session.flags.lang, session.flags.tz
    options.is_ascii, options.is_colourless = session.flags.ascii, session.flags.no_color
    session.has_machine_text = True
    run(options, session.environment)
    return 0
