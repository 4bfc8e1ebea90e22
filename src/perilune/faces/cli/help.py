"""Help pages: promise, usage, options, examples, exit codes, environment, from the messages.

Shape: the one-line promise of command `accounts list` is the message `cli.accounts.list`; its page is
`help_accounts.list.more`, `.examples` (one command a line), `.exits` (numbers), `.environment` (names), `.schema`,
`.option.NAME`. What a page does not say itself comes from `help.option.NAME`, `help.exit.N`, `help.environment.NAME`.
"""

import os
from collections.abc import Iterable, Iterator

import click

from perilune.core.messages import Voice, message, pick_language
from perilune.core.width import pad, width, wrap
from perilune.faces.cli.session import Session

_WIDEST = 80
_WIDEST_FIRST_COLUMN = 30
_JSON_NAMES = ("as_json", "is_json")


class Page(click.Command):
    """A command whose help page is put together from the messages."""

    def get_help(self, ctx: click.Context) -> str:
        return _page(self, ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        return self.short_help or self.help or ""


class Pages(click.Group):
    """A group of commands whose help pages are put together from the messages."""

    command_class = Page

    def get_help(self, ctx: click.Context) -> str:
        return _page(self, ctx)


def _page(command: click.Command, context: click.Context) -> str:
    session = context.find_object(Session)
    voice = Voice(language=session.language if session else pick_language(os.environ))
    columns = min(session.out.columns if session else _WIDEST, _WIDEST)
    page = "\n".join(_sections(command, context, Texts(context.command_path, voice), columns))
    return session.out.shown(page) if session else page


class Texts:
    """The messages of one command's page."""

    def __init__(self, command_path: str, voice: Voice) -> None:
        names = command_path.split()[1:]
        self.voice = voice
        self._promise = ".".join(["cli", *names]) if names else "cli.perilune"
        self._area = ".".join([f"help_{names[0]}", *names[1:]]) if names else "help_perilune"

    def promise(self, command: click.Command) -> str:
        return message(self.voice.language, self._promise) or command.help or ""

    def child_promise(self, name: str) -> str | None:
        path = f"{self._promise}.{name}" if self._promise != "cli.perilune" else f"cli.{name}"
        return message(self.voice.language, path)

    def own(self, part: str) -> str:
        return message(self.voice.language, f"{self._area}.{part}") or ""

    def part(self, kind: str, name: str) -> str:
        """The page's own words for an option, an exit status or a variable, else the common ones."""
        return self.own(f"{kind}.{name}") or message(self.voice.language, f"help.{kind}.{name}") or ""


def _sections(command: click.Command, context: click.Context, texts: Texts, columns: int) -> Iterator[str]:
    say = texts.voice.say
    yield from wrap(texts.promise(command), columns)
    yield ""
    pieces = " ".join(command.collect_usage_pieces(context))
    yield from _hanging(say("help.usage"), f"{context.command_path} {pieces}", columns)
    if more := texts.own("more"):
        yield from ["", *wrap(more, columns)]
    if isinstance(command, click.Group):
        yield from _listed(say("help.commands"), _children(command, context, texts), columns)
    yield from _listed(say("help.options"), _options(command, context, texts), columns)
    if isinstance(command, click.Group) and context.parent is None:
        yield from _listed(say("help.global_options"), _global_options(texts), columns)
    if examples := texts.own("examples"):
        yield from ["", say("help.examples"), *(f"  {line}" for line in examples.splitlines())]
    exits = (texts.own("exits") or "0 1 2").split()
    yield from _listed(say("help.exits"), [(number, texts.part("exit", number)) for number in exits], columns)
    if names := texts.own("environment").split():
        rows = [(name, texts.part("environment", name)) for name in names]
        yield from _listed(say("help.environment"), rows, columns)
    if schema := texts.own("schema"):
        yield from ["", *wrap(say("help.schema", schema=schema, name=schema.split(".")[1]), columns)]


def _children(group: click.Group, context: click.Context, texts: Texts) -> Iterator[tuple[str, str]]:
    """The commands of a group. One that has a promise in the messages is not imported for it."""
    for name in group.list_commands(context):
        promise = texts.child_promise(name)
        child = None if promise else group.get_command(context, name)
        if promise or (child is not None and not child.hidden):
            yield name, promise or (child.help if child else None) or ""


def _options(command: click.Command, context: click.Context, texts: Texts) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            name = "help" if "--help" in parameter.opts else str(parameter.name)
            text = texts.part("option", "json" if name in _JSON_NAMES else name) or record[1]
            if text or isinstance(parameter, click.Option):
                yield record[0], text


def _global_options(texts: Texts) -> Iterator[tuple[str, str]]:
    for flag in ("--lang en|zh-CN", "--tz ZONE", "--no-color", "--ascii", "--no-input", "-q, --quiet", "-v, --verbose"):
        name = flag.split(" ", 1)[0] if flag.startswith("--") else flag.split()[1]
        yield flag, texts.part("option", name.removeprefix("--").replace("-", "_"))


def _listed(title: str, rows: Iterable[tuple[str, str]], columns: int) -> list[str]:
    listed = list(rows)
    if not listed:
        return []
    first = min(max(width(row[0]) for row in listed), _WIDEST_FIRST_COLUMN)
    lines = ["", title]
    for name, text in listed:
        lines += _row(name, text, first, columns)
    return lines


def _row(name: str, text: str, first: int, columns: int) -> list[str]:
    indent = first + 4
    wrapped = wrap(text, columns - indent)
    if width(name) > first:
        return [f"  {name}", *(" " * indent + line for line in wrapped)]
    head = f"  {pad(name, first)}  {wrapped[0]}".rstrip()
    return [head, *(" " * indent + line for line in wrapped[1:])]


def _hanging(label: str, text: str, columns: int) -> list[str]:
    indent = width(label) + 1
    head, *rest = wrap(text, columns - indent)
    return [f"{label} {head}", *(" " * indent + line for line in rest)]
