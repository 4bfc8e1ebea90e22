"""`perilune notify`: add, list, test, remove, mute."""

from typing import TYPE_CHECKING, Any, get_args

import click

from perilune.config.schema import ChannelKind, MailTls
from perilune.core.errors import UsageError
from perilune.core.spans import parse_span
from perilune.faces.cli.help import Page, Pages
from perilune.faces.cli.session import Session

if TYPE_CHECKING:
    from perilune.faces.cli.notifying.services import NotifyServices


@click.group("notify", cls=Pages, no_args_is_help=True)
def command() -> None:
    pass


@command.command("add", cls=Page)
@click.argument("name")
@click.argument("channel", type=click.Choice(get_args(ChannelKind)))
@click.argument("program", nargs=-1)
@click.option("--events", metavar="KIND", multiple=True)
@click.option("--accounts", metavar="NAME", multiple=True)
@click.option("--quiet-hours", "quiet", metavar="22:00-08:00")
@click.option("--url", metavar="URL")
@click.option("--key", metavar="REFERENCE")
@click.option("--secret", metavar="REFERENCE")
@click.option("--stdin", "from_stdin", is_flag=True)
@click.option("--to", metavar="WHO", multiple=True)
@click.option("--server", metavar="HOST:PORT")
@click.option("--tls", type=click.Choice(get_args(MailTls)))
@click.option("--user", metavar="NAME")
@click.option("--sender", metavar="ADDRESS")
@click.option("--click", "tap", metavar="URL")
@click.pass_obj
def add(session: Session, /, program: tuple[str, ...], tap: str | None, *, from_stdin: bool, **given: Any) -> None:
    from perilune.faces.cli.notifying.adding import add_channel

    lists = {name: _parts(given.pop(name)) for name in ("events", "accounts", "to")}
    fields = {"name": given.pop("name"), "channel": given.pop("channel")}
    fields |= {**lists, **given, "command": program, "click": tap}
    add_channel(session, fields, from_stdin=from_stdin)
    session.answer(session.voice.say("notify.added", name=fields["name"]))


@command.command("list", cls=Page)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_channels(session: Session, *, as_json: bool) -> None:
    from perilune.faces.cli.notifying.listing import document, table
    from perilune.monitor.notify.health import failing

    services: NotifyServices = session.workbench
    channels, voice = services.configuration().config.notify, session.voice
    states, muted_until = services.channel_states(), services.muted_until()
    if as_json:
        session.document(document(channels, states, muted_until))
        return
    if not channels:
        session.answer(voice.say("notify.none"))
    for line in table(channels, states, voice) if channels else ():
        session.answer(line)
    if muted_until is not None:
        session.answer(voice.say("notify.muted_now", clock=voice.clock(muted_until, round_up=True)))
    for problem in failing(channels, states, voice):
        session.warn(problem)


@command.command("test", cls=Page)
@click.argument("name")
@click.pass_obj
def test(session: Session, name: str) -> int:
    from perilune.faces.cli.notifying.adding import find_channel
    from perilune.monitor.notify.health import not_taken

    services: NotifyServices = session.workbench
    channel = find_channel(services, name)
    receipt = services.test_channel(name, session.voice)
    if receipt.is_taken:
        session.answer(session.voice.say("notify.tested", name=name, channel=channel.channel, words=receipt.words))
        return 0
    return session.fail(not_taken(channel, receipt.words, session.voice))


@command.command("remove", cls=Page)
@click.argument("name")
@click.pass_obj
def remove(session: Session, name: str) -> None:
    from perilune.faces.cli.notifying.adding import remove_channel

    remove_channel(session.workbench, name)
    session.answer(session.voice.say("notify.removed", name=name))


@command.command("mute", cls=Page)
@click.argument("span")
@click.pass_obj
def mute(session: Session, span: str) -> None:
    services: NotifyServices = session.workbench
    length = parse_span(span)
    if length is None:
        raise UsageError.of("PL-USAGE", variant="notify_span", value=span[:40])
    if not length:
        services.mute(None)
        session.answer(session.voice.say("notify.unmuted"))
        return
    until = services.now() + length
    services.mute(until)
    session.answer(session.voice.say("notify.muted", clock=session.voice.clock(until, round_up=True)))


def _parts(given: tuple[str, ...]) -> tuple[str, ...]:
    """An option given several times, or once with commas."""
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())
