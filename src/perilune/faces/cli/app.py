"""The command `perilune`: a table of names; a command's module is imported when it is run or asked for."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from perilune.core.errors import UsageError
from perilune.core.nearest import nearest
from perilune.faces.cli.flags import take_flags
from perilune.faces.cli.help import Page, Pages
from perilune.faces.cli.session import Session

COMMANDS = (
    "add",
    "discover",
    "accounts",
    "status",
    "forecast",
    "history",
    "top",
    "guard",
    "statusline",
    "install",
    "up",
    "gateway",
    "review",
    "notify",
    "doctor",
    "explain",
    "config",
    "mcp",
    "metrics",
    "sandbox",
    "completion",
)


class App(Pages):
    """The group of all commands. Global flags are taken out of the line wherever they stand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        session = ctx.find_object(Session)
        if session is not None:
            args = take_flags(args, session.flags)
            session.wants_json = "--json" in args
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if find_spec(_module_name(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(_module_name(cmd_name)).command
        return _with_page(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            known = nearest(name, self.list_commands(ctx))
            raise UsageError.of("PL-USAGE", variant="command" if known else "command_far", name=name, nearest=known)
        return super().resolve_command(ctx, args)


def _module_name(command_name: str) -> str:
    return f"perilune.faces.cli.{command_name}"


def _with_page(command: click.Command) -> click.Command:
    """The command with a help page from the messages, also when it was declared as a plain one."""
    if isinstance(command, (Page, Pages)):
        return command
    if isinstance(command, click.Group):
        command.commands = {name: _with_page(child) for name, child in command.commands.items()}
        return Pages(
            **_declared(command), commands=command.commands, invoke_without_command=command.invoke_without_command
        )
    return Page(**_declared(command))


def _declared(command: click.Command) -> dict[str, Any]:
    names = (
        "name",
        "context_settings",
        "callback",
        "params",
        "help",
        "epilog",
        "hidden",
        "deprecated",
        "no_args_is_help",
    )
    return {name: getattr(command, name) for name in names}


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from perilune import __version__

        click.echo(f"perilune {__version__}")
        ctx.exit()


@click.group(
    "perilune",
    cls=App,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
@click.pass_context
def perilune(ctx: click.Context) -> Any:
    """Runs a command; without one, the status or the first run."""
    if ctx.invoked_subcommand is None:
        from perilune.faces.cli.start import start

        return start(ctx)
    return None
