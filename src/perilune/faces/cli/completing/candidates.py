"""The candidates for the last word of a line: commands, flags, and the values that options and arguments take."""

from collections.abc import Iterator, Mapping, Sequence

import click
from msgspec import Struct

from perilune.core.messages import Language, message
from perilune.faces.cli.app import perilune
from perilune.faces.cli.completing.values import values_of

_GLOBAL = {
    "--lang": ("en", "zh-CN"),
    "--tz": (),
    "--no-color": None,
    "--ascii": None,
    "--no-input": None,
    "--quiet": None,
    "--verbose": None,
}
Candidate = tuple[str, str]


class _Place(Struct, frozen=True):
    """Where a line has got to: the command, its path, how many arguments it has, the option that wants a value."""

    command: click.Command
    context: click.Context
    path: tuple[str, ...]
    given: int
    option: click.Option | None
    flag: str | None


def candidates(words: Sequence[str], environment: Mapping[str, str], language: Language) -> Iterator[Candidate]:
    """What could stand in place of the last word, which may be empty."""
    *before, last = words
    place = _walk(before)
    name, equals, start = last.partition("=")
    if last.startswith("-") and equals:
        found: Iterator[Candidate] = ((f"{name}={value}", "") for value in _of_flag(place, name, environment))
        start = last
    elif place.option is not None or place.flag is not None:
        found, start = ((value, "") for value in _wanted(place, environment)), last
    elif last.startswith("-"):
        found, start = _flags(place), last
    else:
        found, start = _words(place, environment, language), last
    yield from (one for one in found if one[0].startswith(start))


def _walk(words: Sequence[str]) -> _Place:
    command, context = perilune, click.Context(perilune, info_name="perilune")
    place = _Place(command, context, (), 0, None, None)
    for word in words:
        place = _next(place, word)
    return place


def _next(place: _Place, word: str) -> _Place:
    if place.option is not None or place.flag is not None:
        return _Place(place.command, place.context, place.path, place.given, None, None)
    if word.startswith("-"):
        option = None if "=" in word else _option(place, word)
        takes = option is not None and not option.is_flag and not option.count
        flag = word if _GLOBAL.get(word) is not None else None
        return _Place(place.command, place.context, place.path, place.given, option if takes else None, flag)
    if isinstance(place.command, click.Group):
        child = place.command.get_command(place.context, word)
        if child is not None:
            context = click.Context(child, parent=place.context, info_name=word)
            return _Place(child, context, (*place.path, word), 0, None, None)
    return _Place(place.command, place.context, place.path, place.given + 1, None, None)


def _option(place: _Place, word: str) -> click.Option | None:
    options = (one for one in place.command.get_params(place.context) if isinstance(one, click.Option))
    return next((one for one in options if word in (*one.opts, *one.secondary_opts)), None)


def _of_flag(place: _Place, name: str, environment: Mapping[str, str]) -> Sequence[str]:
    option = _option(place, name)
    return _GLOBAL.get(name) or () if option is None else values_of(place.path, option, environment)


def _wanted(place: _Place, environment: Mapping[str, str]) -> Sequence[str]:
    if place.option is not None:
        return values_of(place.path, place.option, environment)
    return _GLOBAL.get(place.flag or "") or ()


def _flags(place: _Place) -> Iterator[Candidate]:
    for parameter in place.command.get_params(place.context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield from ((name, "") for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--"))
    yield from ((name, "") for name in _GLOBAL)


def _words(place: _Place, environment: Mapping[str, str], language: Language) -> Iterator[Candidate]:
    if isinstance(place.command, click.Group):
        for name in place.command.list_commands(place.context):
            yield name, message(language, ".".join(("cli", *place.path, name))) or ""
        return
    arguments = [one for one in place.command.params if isinstance(one, click.Argument)]
    argument = next((one for at, one in enumerate(arguments) if at == place.given or one.nargs < 0), None)
    if argument is not None:
        yield from ((value, "") for value in values_of(place.path, argument, environment))
