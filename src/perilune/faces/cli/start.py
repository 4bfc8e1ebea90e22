"""Bare `perilune`: the status; with no account yet, a guided first run."""

from collections.abc import Sequence

import click

from perilune.core.errors import CredentialError, PeriluneError, Problem
from perilune.core.width import pad, width
from perilune.faces.adding.services import AddServices, Choices
from perilune.faces.cli.finding import Finding, findings
from perilune.faces.cli.session import Session


def start(ctx: click.Context) -> int:
    """Show the status when there are accounts, else find out what could become one."""
    session: Session = ctx.obj
    services: AddServices = session.workbench
    if services.configuration().config.accounts and not _asks_first(session, services):
        return _status(ctx)
    found = [one for one in findings(session) if one.kind != "browsers"]
    if not found:
        return _nothing_found(session)
    if not session.is_interactive:
        raise CredentialError.of("PL-ACCOUNT-NONE")
    tell_found(session, found)
    return _take(_answer(found, session), session, services)


def _asks_first(session: Session, services: AddServices) -> bool:
    """Implied accounts serve for a run; a person at a terminal is asked whether to keep them."""
    return session.is_interactive and "file" not in services.configuration().origins.values()


def _status(ctx: click.Context) -> int:
    group = ctx.command
    command = group.get_command(ctx, "status") if isinstance(group, click.Group) else None
    if command is None:
        click.echo(ctx.get_help())
        return 0
    with command.make_context("status", [], parent=ctx) as context:
        result = command.invoke(context)
    return result if isinstance(result, int) else 0


def _nothing_found(session: Session) -> int:
    for line in session.voice.say("start.nothing").split("\n"):
        session.answer(line)
    return 0 if session.is_interactive else Problem(code="PL-ACCOUNT-NONE").exit_code


def tell_found(session: Session, found: Sequence[Finding] | None = None) -> None:
    """List what was found on this machine, beside the answer."""
    if found is None:
        found = [one for one in findings(session) if one.kind != "browsers"]
    for line in _list(found, session) if found else ():
        session.note(line)


def _list(found: Sequence[Finding], session: Session) -> list[str]:
    say = session.voice.say
    rows = [(str(number), *_columns(one, session)) for number, one in enumerate(found, start=1)]
    second = max(22, *(width(row[1]) + 2 for row in rows))
    third = max(41, *(width(row[2]) + 2 for row in rows))
    lines = [f"  {number}  {pad(name, second)}{pad(where, third)}{what}" for number, name, where, what in rows]
    return [say("start.found"), *lines]


def _columns(one: Finding, session: Session) -> tuple[str, str, str]:
    if one.kind == "environment":
        return one.where, one.source, one.what
    if one.kind == "cli-login":
        return f"{one.source} {one.what}", one.where, one.state
    return one.source, one.where, one.what


def _answer(found: Sequence[Finding], session: Session) -> list[Finding]:
    from perilune.faces.cli.prompt import ask

    numbers = ", ".join(str(number) for number in range(1, len(found) + 1))
    answer = ask(session, session.voice.say("start.which", numbers=numbers), "all").lower()
    if answer in ("all", "全部"):
        return list(found)
    picked = {int(word) for word in answer.replace(",", " ").split() if word.isdecimal()}
    return [one for number, one in enumerate(found, start=1) if number in picked]


def _take(taken: Sequence[Finding], session: Session, services: AddServices) -> int:
    """Save what can be taken; of the rest it is said why not."""
    from perilune.faces.cli.adding.from_environment import worst

    if not taken:
        raise CredentialError.of("PL-ACCOUNT-NONE")
    saved = [_save(one, session, services) for one in taken]
    statuses = [status for status in saved if status is not None]
    if not statuses:
        raise CredentialError.of("PL-ACCOUNT-NONE")
    return worst(statuses)


def _save(one: Finding, session: Session, services: AddServices) -> int | None:
    """The exit status of saving one finding; None for one that is not taken. A refused one keeps no other back."""
    from perilune.faces.cli.adding.from_environment import add_one
    from perilune.faces.cli.adding.from_source import add_from

    plan = services.plans.get(one.plan or "")
    if plan is not None and one.variable is not None:
        return add_one(plan, one.variable, Choices(), services, session)
    if plan is not None and one.kind == "cli-login" and "cli" in plan.known_as:
        try:
            return add_from(plan.known_as["cli"], Choices(), services, session)
        except PeriluneError as error:
            return session.fail(error.problem)
    session.note(session.voice.say("start.not_taken", where=one.where))
    return None
