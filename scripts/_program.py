"""The program as its documents and checks see it: commands, settings, environment names, codes with their words."""

import ast
import importlib
import os
import pkgutil
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import click
import msgspec

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "perilune"

_VARIABLE = re.compile(r"(?:PERILUNE|MOONSHOT|KIMI|CODEXBAR|API|ANTHROPIC)_[A-Z0-9_]*[A-Z0-9]")


class Setting(NamedTuple):
    """One key of config.toml. `variable` is empty where a setting stands inside a list."""

    key: str
    type: str
    default: str
    variable: str


def root_command() -> click.Group | None:
    """The group `perilune`, found among the modules of the command line."""
    package = importlib.import_module("perilune.faces.cli")
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(found.name)).values():
            if isinstance(value, click.Group) and value.name == "perilune":
                return value
    return None


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command by its whole path, groups before what they hold."""
    if root := root_command():
        yield from _below(root, "perilune", None)


def _below(
    command: click.Command, path: str, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    name = path.rpartition(" ")[2]
    context = click.Context(command, parent=parent, info_name=name, terminal_width=80, max_content_width=80)
    yield path, command, context
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            if child is not None and not child.hidden:
                yield from _below(child, f"{path} {child_name}", context)


def options() -> dict[str, set[str]]:
    """The options that every command takes, by its path. A group that takes anything else is a key with `*` in it."""
    found: dict[str, set[str]] = {}
    for path, command, context in commands():
        names = {
            name for parameter in command.get_params(context) for name in parameter.opts + parameter.secondary_opts
        }
        is_open = not isinstance(command, click.Group)
        found[path] = {name for name in names if name.startswith("-")} | ({"*"} if is_open else set())
    return found


def help_pages() -> Iterator[tuple[str, str]]:
    """Every command with its English help page."""
    os.environ["PERILUNE_LANG"] = "en"
    for path, command, context in commands():
        yield path, command.get_help(context)


def settings() -> list[Setting]:
    """Every setting of the configuration schema, in its order."""
    from perilune.config.schema import Config

    return list(_settings_of(Config, "", in_list=False))


def _settings_of(struct: type[msgspec.Struct], prefix: str, *, in_list: bool) -> Iterator[Setting]:
    for field in msgspec.structs.fields(struct):
        key = f"{prefix}{field.encode_name}"
        inner, is_list = _struct_in(field.type)
        if inner is not None:
            yield from _settings_of(inner, f"{key}[]." if is_list else f"{key}.", in_list=in_list or is_list)
        else:
            variable = "" if in_list or key == "schema" else "PERILUNE_" + key.upper().replace(".", "_")
            yield Setting(key, type_text(field.type), _default_text(field), variable)


def _struct_in(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, False
    for part in get_args(kind) if get_origin(kind) in (tuple, list) else ():
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part, True
    return None, False


def type_text(kind: Any) -> str:
    """A setting's type in words of TOML."""
    origin, arguments = get_origin(kind), get_args(kind)
    if hasattr(kind, "__metadata__"):
        return type_text(arguments[0])
    if origin is Literal:
        return " | ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(type_text(part) for part in arguments if part is not type(None))
    if origin in (tuple, list):
        return f"list of {type_text(arguments[0])}"
    if origin is dict:
        return "table"
    return {str: "text", int: "whole number", float: "number", bool: "true | false"}.get(kind, "value")


def _default_text(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return "–" if value is None or value in ((), {}, "") else msgspec.json.encode(value).decode()


def variables_in_source() -> set[str]:
    """Environment names that stand in the program's source or in its providers' data."""
    names: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        names |= {value for value in constants if isinstance(value, str) and _VARIABLE.fullmatch(value)}
    for path in SOURCE.rglob("provider.toml"):
        names |= set(re.findall(rf'"({_VARIABLE.pattern})"', path.read_text(encoding="utf-8")))
    return names
