"""What was wrong with a command line, as a problem of ours."""

import click

from perilune.core.errors import Problem
from perilune.core.nearest import nearest


def usage_problem(error: click.UsageError) -> Problem:
    """A parser's complaint as PL-USAGE with the nearest flag where one was mistyped."""
    path = error.ctx.command_path if error.ctx else "perilune"
    match error:
        case click.NoSuchOption():
            return _unknown_option(error, path)
        case click.MissingParameter():
            name = error.param.make_metavar(error.ctx) if error.param and error.ctx else str(error.param_hint)
            return _problem("missing", path, name=name)
        case click.BadOptionUsage():
            return _problem("value", path, option=error.option_name)
        case click.BadParameter() if error.param is not None:
            return _bad_value(error, error.param, path)
        case _:
            return _problem("other", path, message=error.format_message())


def _unknown_option(error: click.NoSuchOption, path: str) -> Problem:
    known = (
        [name for parameter in error.ctx.command.get_params(error.ctx) for name in parameter.opts] if error.ctx else []
    )
    close = nearest(error.option_name, [name for name in known if name.startswith("--")])
    variant = "option" if close else "option_far"
    return _problem(variant, path, name=error.option_name, nearest=close)


def _bad_value(error: click.BadParameter, parameter: click.Parameter, path: str) -> Problem:
    option = parameter.opts[-1] if isinstance(parameter, click.Option) else parameter.human_readable_name
    if isinstance(parameter.type, click.Choice):
        choices = ", ".join(map(str, parameter.type.choices))
        return _problem("one_of", path, option=option, choices=choices)
    return _problem("bad_value", path, option=option, message=error.message)


def _problem(variant: str, path: str, **facts: object) -> Problem:
    return Problem(code="PL-USAGE", variant=variant, facts={"command": path, **facts})
