"""The global flags. They may stand anywhere on the command line, before or behind the command."""

from collections.abc import Sequence

from msgspec import Struct

from perilune.core.errors import UsageError
from perilune.faces.cli.zones import named_zone

_SWITCHES = {
    "--no-color": "no_color",
    "--ascii": "ascii",
    "--no-input": "no_input",
    "--quiet": "quiet",
    "-q": "quiet",
}
_VALUES = ("--lang", "--tz")


class Flags(Struct):
    """What the global flags say. `verbose` counts."""

    lang: str | None = None
    tz: str | None = None
    no_color: bool = False
    ascii: bool = False
    no_input: bool = False
    quiet: bool = False
    verbose: int = 0


def take_flags(arguments: Sequence[str], flags: Flags) -> list[str]:
    """Fill `flags` from a command line and return the rest of it; what follows `--` is left alone."""
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        name, equals, value = argument.partition("=")
        if argument == "--":
            return [*rest, argument, *waiting]
        if argument in _SWITCHES:
            setattr(flags, _SWITCHES[argument], True)
        elif argument == "--verbose" or (argument.startswith("-v") and set(argument[1:]) == {"v"}):
            flags.verbose += 1 if argument == "--verbose" else len(argument) - 1
        elif name in _VALUES:
            setattr(flags, name[2:], value if equals else _next(name, waiting))
        else:
            rest.append(argument)
    _check_language(flags)
    _check_zone(flags)
    return rest


def _next(name: str, waiting: list[str]) -> str:
    if not waiting:
        raise UsageError.of("PL-USAGE", variant="value", option=name)
    return waiting.pop(0)


def _check_language(flags: Flags) -> None:
    if flags.lang is not None and not flags.lang.lower().startswith(("en", "zh")):
        wrong, flags.lang = flags.lang, None
        raise UsageError.of("PL-USAGE", variant="choice", option="--lang", value=wrong, choices="en, zh-CN")


def _check_zone(flags: Flags) -> None:
    """A zone that does not exist is said in the reader's own."""
    if flags.tz is not None and named_zone(flags.tz) is None:
        wrong, flags.tz = flags.tz, None
        raise UsageError.of("PL-USAGE", variant="zone", value=wrong)
