"""`perilune install`: our lines in other programs' files. Shown first, written with --yes, taken out with --undo."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

import click

from perilune.core.errors import UsageError
from perilune.faces.cli.session import Session
from perilune.faces.install import files
from perilune.faces.install.apply import Planned, diff_lines, make, plan, plan_undo, undo
from perilune.faces.install.ci import PLACES, Where, ci
from perilune.faces.install.edits import Unfit
from perilune.faces.install.git_hook import git_hook, hooks_folder, top_of
from perilune.faces.install.hosts import HOSTS, Change, Paste, Places, statusline, waybar
from perilune.faces.install.service import service

_RECORD = "installs.json"
_SEVERITIES = ("critical", "high", "medium", "low", "nit")


class Paths(Protocol):
    """Where our own data are."""

    @property
    def data_folder(self) -> Path: ...


class InstallServices(Protocol):
    """What this command needs of the workbench."""

    @property
    def paths(self) -> Paths: ...
    def now(self) -> datetime: ...


@click.group("install", no_args_is_help=True)
def command() -> None:
    """Show, write or take out our lines in other programs' files."""


@command.command("statusline")
@click.option("--for", "host", type=click.Choice(HOSTS), required=True, metavar="HOST")
@click.option("--yes", is_flag=True)
@click.option("--undo", "undoes", is_flag=True)
@click.pass_obj
def install_statusline(session: Session, host: str, yes: bool, undoes: bool) -> int:
    """A status line in a prompt, a bar or a coding tool."""
    again = f"perilune install statusline --for {host}"
    if host == "waybar":
        return _install(session, waybar(Places(session.environment)), again, yes=yes, undoes=undoes)
    found = statusline(host, Places(session.environment))
    if isinstance(found, Paste):
        return _show(session, found)
    return _install(session, (found,) if found else (), again, yes=yes, undoes=undoes)


@command.command("waybar")
@click.option("--yes", is_flag=True)
@click.option("--undo", "undoes", is_flag=True)
@click.pass_obj
def install_waybar(session: Session, yes: bool, undoes: bool) -> int:
    """The Waybar module and its colours."""
    return _install(session, waybar(Places(session.environment)), "perilune install waybar", yes=yes, undoes=undoes)


@command.command("service")
@click.option("--yes", is_flag=True)
@click.option("--undo", "undoes", is_flag=True)
@click.pass_obj
def install_service(session: Session, yes: bool, undoes: bool) -> int:
    """The service, started when you log in."""
    change = service(Places(session.environment))
    if change is None:
        raise UsageError.of(
            "PL-USAGE", variant="other", command="perilune install", message=session.voice.say("install.no_service")
        )
    return _install(session, (change,), "perilune install service", yes=yes, undoes=undoes)


@command.command("git-hook")
@click.option("--pre-push", "name", flag_value="pre-push", default="pre-push")
@click.option("--pre-commit", "name", flag_value="pre-commit")
@click.option("--fail-on", type=click.Choice(_SEVERITIES), default="high", metavar="SEVERITY")
@click.option("--strict", is_flag=True)
@click.option("--dry-run", is_flag=True)
@click.option("--yes", is_flag=True)
@click.option("--undo", "undoes", is_flag=True)
@click.pass_obj
def install_git_hook(
    session: Session, name: str, fail_on: str, strict: bool, dry_run: bool, yes: bool, undoes: bool
) -> int:
    """A hook of this repository that reviews what is pushed or staged."""
    folder = hooks_folder(Path.cwd())
    if folder is None:
        told = session.voice.say("install.no_repository")
        raise UsageError.of("PL-USAGE", variant="other", command="perilune install", message=told)
    changes = git_hook(folder, name, fail_on, is_strict=strict)
    again = f"perilune install git-hook --{name} --fail-on {fail_on}" + " --strict" * strict
    return _install(session, changes, again, yes=yes and not dry_run, undoes=undoes)


@command.command("ci")
@click.argument("forge", type=click.Choice(PLACES), metavar="FORGE")
@click.option("--dry-run", is_flag=True)
@click.option("--yes", is_flag=True)
@click.option("--undo", "undoes", is_flag=True)
@click.pass_obj
def install_ci(session: Session, forge: Where, dry_run: bool, yes: bool, undoes: bool) -> int:
    """A workflow or job that reviews pull or merge requests."""
    root = top_of(Path.cwd())
    if root is None:
        told = session.voice.say("install.no_repository")
        raise UsageError.of("PL-USAGE", variant="other", command="perilune install", message=told)
    again = f"perilune install ci {forge}"
    return _install(session, (ci(forge, root),), again, yes=yes and not dry_run, undoes=undoes)


def _install(session: Session, changes: tuple[Change, ...], again: str, *, yes: bool, undoes: bool) -> int:
    try:
        if undoes:
            for change in changes:
                _undo(session, change)
            return 0
        planned = [plan(change) for change in changes]
        _make(session, planned, again, yes=yes)
    except (Unfit, UnicodeDecodeError, OSError) as error:
        file = getattr(error, "filename", None) or ", ".join(_short(session, change.file) for change in changes)
        told = session.voice.say("install.unfit", file=file, why=getattr(error, "strerror", None) or error)
        raise UsageError.of("PL-USAGE", variant="other", command="perilune install", message=told) from None
    return 0


def _make(session: Session, planned: list[Planned], again: str, *, yes: bool) -> None:
    say = session.voice.say
    wanted = [one for one in planned if one.changes_something]
    for one in wanted:
        session.answer(_short(session, one.change.file))
        for line in diff_lines(one.before or "", one.after):
            session.answer(line)
    if not wanted:
        session.answer(say("install.same", file=", ".join(_short(session, one.change.file) for one in planned)))
        return
    if not yes:
        session.answer(say("install.nothing_written", command=f"{again} --yes"))
    for one in wanted:
        backup = _backup(session, one.change.file)
        if yes:
            make(one, _record(session), backup)
            session.answer(say("install.written", file=_short(session, one.change.file)))
        if one.before is not None:
            session.answer(say("install.backup_kept" if yes else "install.backup", file=_short(session, backup)))
    for one in wanted:
        if one.change.note is not None:
            session.answer(say(one.change.note))


def _undo(session: Session, change: Change) -> None:
    say, file = session.voice.say, _short(session, change.file)
    undone = plan_undo(change, _record(session))
    if undone is None:
        session.answer(say("install.nothing_there", file=file))
        return
    backup = _backup(session, change.file)
    undo(undone, _record(session), backup)
    session.answer(file)
    for line in diff_lines(undone.before, undone.after or ""):
        session.answer(line)
    session.answer(say("install.removed" if undone.after is None else "install.undone", file=file))
    if undone.has_changed:
        session.answer(say("install.changed_since", file=file))
    session.answer(say("install.backup_kept", file=_short(session, backup)))


def _show(session: Session, paste: Paste) -> int:
    session.answer(_short(session, paste.file))
    for line in paste.text.splitlines():
        session.answer(f"+ {line}")
    session.answer(session.voice.say("install.paste", file=_short(session, paste.file)))
    return 0


def _backup(session: Session, file: Path) -> Path:
    services: InstallServices = session.workbench
    return files.backup_path(file, services.now().astimezone(session.voice.zone))


def _record(session: Session) -> Path:
    services: InstallServices = session.workbench
    return services.paths.data_folder / _RECORD


def _short(session: Session, file: Path) -> str:
    """The path as people write it: `~/…`."""
    home = Places(session.environment).home
    return f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file)
