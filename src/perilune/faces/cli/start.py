"""Bare `perilune`."""

import click


def start(ctx: click.Context) -> int:
    """Show the help page."""
    click.echo(ctx.get_help())
    return 0
