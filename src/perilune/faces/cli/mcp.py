"""`perilune mcp`: the MCP server on standard input and output."""

import asyncio

import click
from msgspec.structs import replace

from perilune.core.messages import Voice
from perilune.faces.cli.help import Page
from perilune.faces.cli.session import Session


@click.command("mcp", cls=Page)
@click.pass_obj
def command(session: Session) -> None:
    """Speak MCP until the input ends. Nothing else is ever written to standard output."""
    from perilune.faces.mcp.server import Server

    session.has_machine_text = True

    def voice() -> Voice:
        return replace(session.voice, now=session.workbench.now())

    server = Server(session.workbench, voice, session.stdout.buffer)
    asyncio.run(server.serve(session.stdin.buffer))
