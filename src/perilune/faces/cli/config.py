"""`perilune config`: where the configuration is, what holds, and changing it."""

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from perilune.core.decoding import converted
from perilune.core.errors import PeriluneError, Problem, UsageError
from perilune.core.nearest import nearest
from perilune.core.width import pad, width
from perilune.faces.cli.help import Pages
from perilune.faces.cli.session import Session

if TYPE_CHECKING:
    from perilune.catalog.plan import Plan
    from perilune.config.load import Loaded
    from perilune.config.paths import Paths
    from perilune.config.provenance import Given


class ConfigServices(Protocol):
    """What these commands need."""

    @property
    def paths(self) -> "Paths": ...
    @property
    def plans(self) -> "Mapping[str, Plan]": ...
    def configuration(self, flags: Mapping[str, Any] | None = None) -> "Loaded": ...


@click.group("config", cls=Pages, no_args_is_help=True)
def command() -> None:
    pass


@command.command("path")
@click.pass_obj
def path_command(session: Session) -> None:
    services: ConfigServices = session.workbench
    session.machine_text(f"{services.paths.config_file}\n")


@command.command("get")
@click.argument("key", required=False)
@click.option("--explain", "with_origin", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def get_command(session: Session, key: str | None, *, with_origin: bool, as_json: bool) -> None:
    from perilune.config.provenance import givens, value_of

    services: ConfigServices = session.workbench
    loaded = services.configuration(_flag_values(session))
    for warning in loaded.warnings:
        session.warn(warning)
    if with_origin and key is not None:
        rows = givens(loaded, key, services.plans)
        if as_json:
            session.document({"schema": "perilune.config.v1", "key": key, "origins": rows})
        else:
            session.answer(f"{key} = {_shown(value_of(loaded, key))}")
            for line in _origin_lines(rows, session):
                session.answer(line)
        return
    value = value_of(loaded, key) if key else _everything(loaded)
    if as_json:
        session.document(value)
        return
    for name, item in _flat("", value):
        full_name = ".".join(part for part in (key, name) if part)
        session.answer(f"{full_name} = {_shown(item)}" if name or key is None else _plain(item))


def _plain(value: Any) -> str:
    """One setting alone: text without quotes, so that a script can take it."""
    return value if isinstance(value, str) else _shown(value)


def _flag_values(session: Session) -> dict[str, Any]:
    given = {"display.lang": session.flags.lang, "display.tz": session.flags.tz}
    return {key: value for key, value in given.items() if value is not None}


def _everything(loaded: "Loaded") -> dict[str, Any]:
    from perilune.config.provenance import value_of

    return {name: value_of(loaded, name) for name in loaded.config.__struct_fields__}


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    """Settings one a line; tables of a list by their name."""
    if isinstance(value, dict) and value:
        return [row for name, item in value.items() for row in _flat(f"{prefix}.{name}" if prefix else name, item)]
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return [row for item in value for row in _flat(f"{prefix}.{item['name']}" if prefix else item["name"], item)]
    return [(prefix, value)]


def _shown(value: Any) -> str:
    from perilune.config.toml_text import toml_value

    return "–" if value is None else toml_value(_without_none(value))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


def _origin_lines(rows: "list[Given]", session: Session) -> list[str]:
    say = session.voice.say
    labels = [say(f"config.{row.kind}") for row in rows]
    values = [_shown(row.value) if row.is_given else "–" for row in rows]
    notes = [_note(row) for row in rows]
    first, second = max(11, *map(width, labels)), max(map(width, values))
    lines = []
    for label, value, note, row in zip(labels, values, notes, rows, strict=True):
        used = say("config.used") if row.is_used and row.kind != "default" else ""
        cells = [pad(value, second) if row.is_given and note else value, note, used]
        lines.append(f"  {pad(label, first)}  {'   '.join(cell for cell in cells if cell)}")
    return lines


def _note(row: "Given") -> str:
    if row.kind == "environment" and row.note:
        return f"({row.note})"
    return home_short(row.note)


def home_short(text: str) -> str:
    """A path with the home folder as `~`."""
    home = str(Path.home())
    return "~" + text[len(home) :] if text.startswith(home + os.sep) else text


@command.command("set")
@click.argument("key")
@click.argument("value")
@click.pass_obj
def set_command(session: Session, key: str, value: str) -> None:
    from perilune.config.edit import set_value
    from perilune.config.load import parse
    from perilune.config.provenance import path_of
    from perilune.config.toml_text import toml_value

    services: ConfigServices = session.workbench
    file = services.paths.config_file
    meant = _meant(key, value)

    def edit(text: str) -> str:
        return set_value(text, path_of(parse(text, file.name), key), meant)

    _checked_edit(services, edit)
    session.answer(f"{key} = {toml_value(meant)}")


@command.command("unset")
@click.argument("key")
@click.pass_obj
def unset_command(session: Session, key: str) -> None:
    from perilune.config.edit import unset
    from perilune.config.load import parse
    from perilune.config.provenance import path_of

    services: ConfigServices = session.workbench
    file = services.paths.config_file
    was_there = False

    def edit(text: str) -> str:
        nonlocal was_there
        after = unset(text, path_of(parse(text, file.name), key))
        was_there = after != text
        return after

    _checked_edit(services, edit)
    session.answer(session.voice.say("config.unset" if was_there else "config.not_set", key=key))


def _meant(key: str, text: str) -> Any:
    """What a text on the command line means for a setting: by its type, TOML where it is written as such."""
    import tomllib

    from perilune.config.faults import type_at
    from perilune.config.settings import Setting, read_value, settings

    setting = settings().get(key)
    if setting is not None and not text.startswith(("[", "{", '"')):
        return read_value(setting, text, key)
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        kind = type_at(("accounts", 0, key.rsplit(".", 1)[-1])) if key.startswith("accounts.") else None
        return text if kind is None else read_value(Setting(key, kind, None, ""), text, key)


def _checked_edit(services: ConfigServices, edit: Any) -> None:
    """Edit the file only when what comes out holds together as a whole."""
    from perilune.config.file import edit_file

    edit_file(services.paths.config_file, edit, check=partial(_raise_first, services))


def _raise_first(services: ConfigServices, text: str) -> None:
    problems = _problems_of(services, text)
    if problems:
        raise PeriluneError(problems[0])


def _problems_of(services: ConfigServices, text: str) -> list[Problem]:
    import tomllib

    from perilune.config.faults import faults, syntax_problem
    from perilune.config.layout import scan
    from perilune.config.schema import Config
    from perilune.config.validate import check

    name = services.paths.config_file.name
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [syntax_problem(error, text, name)]
    found = faults(data, text, name)
    if found:
        return found
    from perilune.config.implied import implied_accounts

    config = converted(data, Config)
    implied = implied_accounts(os.environ, services.plans, config.accounts).accounts
    return list(check(config, services.plans, scan(text), name, implied).problems)


@command.command("validate")
@click.pass_obj
def validate_command(session: Session) -> int:
    from perilune.config.load import read_text

    services: ConfigServices = session.workbench
    file = services.paths.config_file
    text = read_text(file)
    if text is None:
        session.answer(session.voice.say("config.no_file", file=home_short(str(file))))
        return 0
    problems = _problems_of(services, text)
    for problem in problems:
        session.fail(problem)
    if problems:
        return max(problem.exit_code for problem in problems)
    for warning in services.configuration().warnings:
        session.warn(warning)
    session.answer(session.voice.say("config.valid", file=home_short(str(file))))
    return 0


@command.command("edit")
@click.pass_obj
def edit_command(session: Session) -> int:
    from perilune.config.file import edit_file

    services: ConfigServices = session.workbench
    file = services.paths.config_file
    if not session.is_interactive:
        raise UsageError.of("PL-USAGE", variant="terminal", command="perilune config edit")
    edit_file(file, lambda text: text)
    editor = session.environment.get("VISUAL") or session.environment.get("EDITOR") or _default_editor()
    done = subprocess.run([*shlex.split(editor), str(file)], check=False)
    if done.returncode != 0:
        session.note(session.voice.say("config.editor_failed", editor=editor, status=done.returncode))
        return 1
    problems = _problems_of(services, file.read_text(encoding="utf-8"))
    for problem in problems:
        session.fail(problem)
    return problems[0].exit_code if problems else 0


def _default_editor() -> str:
    return "notepad" if os.name == "nt" else "vi"


@command.command("schema")
@click.argument("name", required=False)
@click.pass_obj
def schema_command(session: Session, name: str | None) -> None:
    from perilune.config.json_schema import NAME, config_schema
    from perilune.core.schemas import schema_files

    files = schema_files()
    names = sorted([*files, NAME])
    if name is None:
        for known in names:
            session.answer(known)
    elif name == NAME:
        session.machine_text(json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n")
    elif name in files:
        session.machine_text(files[name].read_text(encoding="utf-8"))
    else:
        close = nearest(name, names)
        raise UsageError.of("PL-USAGE", variant="schema" if close else "schema_far", name=name, nearest=close)
