"""The options that limit a gateway key: how often, how many at once, how much in a period."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

import click

from perilune.core.amounts import Per, parse_amount
from perilune.core.errors import UsageError

NEVER = "never"
_NONE = ("none", "0")
F = TypeVar("F", bound=Callable[..., Any])


def limit_options(command: F) -> F:
    """Add the options to a command."""
    options = [
        click.option("--rpm", type=click.IntRange(0), metavar="N"),
        click.option("--max-concurrent", type=click.IntRange(0), metavar="N"),
        click.option("--soft", metavar="AMOUNT"),
        click.option("--hard", metavar="AMOUNT"),
        click.option("--per", type=click.Choice(get_args(Per))),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def checked_limits(given: Mapping[str, Any], command: str) -> dict[str, Any]:
    """The limits that were named; `none` and 0 take one away. Raises: PL-USAGE for an amount that is none."""
    found: dict[str, Any] = {name: given[name] or None for name in ("rpm", "max_concurrent") if given[name] is not None}
    for name in ("soft", "hard"):
        text = given[name]
        if text is None:
            continue
        if text not in _NONE and parse_amount(text) is None:
            raise UsageError.of(
                "PL-USAGE", variant="choice", command=command, option=f"--{name}", value=text,
                choices="'CNY 10', 'USD 2.50', '200k tokens', '50 requests', none",
            )  # fmt: skip
        found[name] = None if text in _NONE else text
    return found | ({"per": given["per"]} if given["per"] else {})
