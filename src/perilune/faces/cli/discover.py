"""`perilune discover`: credentials already on this machine."""

import click
from msgspec import Struct

from perilune.faces.cli.finding import Finding, findings, skipped_by_peer
from perilune.faces.cli.help import Page
from perilune.faces.cli.session import Session

_LEAST_WIDTHS = (16, 40, 8, 5)


class Discovered(Struct, frozen=True, kw_only=True):
    """`perilune.discover.v1`."""

    schema: str = "perilune.discover.v1"
    found: list[Finding]


@click.command("discover", cls=Page)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def command(session: Session, *, as_json: bool) -> None:
    found = findings(session)
    for name, plan in skipped_by_peer(session):
        session.note(session.voice.say("discover.skipped", name=name, plan=plan))
    if as_json:
        session.document(Discovered(found=found))
        return
    if not found:
        session.answer(session.voice.say("discover.nothing"))
        return
    for line in table_lines(found, session):
        session.answer(line)
    can_take = any(one.variable for one in found)
    session.answer(session.voice.say("discover.take" if can_take else "discover.take_none"))


def table_lines(found: list[Finding], session: Session) -> list[str]:
    """The findings as a table."""
    from perilune.core.width import pad, width

    headings = tuple(session.voice.say(f"discover.heading.{name}") for name in ("source", "where", "what", "state"))
    rows = [headings, *((one.source, one.where, one.what, one.state) for one in found)]
    widths = [max(least, *(width(row[at]) for row in rows)) for at, least in enumerate(_LEAST_WIDTHS)]
    return ["  ".join(pad(cell, widths[at]) for at, cell in enumerate(row)).rstrip() for row in rows]
