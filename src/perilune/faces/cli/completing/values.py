"""The values that a parameter takes: from its own choices, from the configuration file, from our own lists."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from perilune.config.paths import find_paths

Environment = Mapping[str, str]


def values_of(path: Sequence[str], parameter: click.Parameter, environment: Environment) -> Sequence[str]:
    """What could be written for a parameter of the command at `path`; empty where anything goes, as with files."""
    if isinstance(parameter.type, click.Choice):
        return [str(choice) for choice in parameter.type.choices]
    name = str(parameter.name)
    named = _SOURCES.get(f"{path[0]}.{name}" if path else name) or _SOURCES.get(name)
    return named(environment) if named is not None else ()


def _file(environment: Environment) -> dict[str, Any]:
    try:
        return tomllib.loads(find_paths(environment).config_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _names(rows: object) -> list[str]:
    found = (row.get("name") for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
    return [name for name in found if isinstance(name, str)]


def _accounts(environment: Environment) -> list[str]:
    return _names(_file(environment).get("accounts"))


def _routes(environment: Environment) -> list[str]:
    gateway = _file(environment).get("gateway")
    return _names(gateway.get("routes")) if isinstance(gateway, dict) else []


def _channels(environment: Environment) -> list[str]:
    data = _file(environment)
    notify = data.get("notify")
    return _names(notify if isinstance(notify, list) else notify.get("channels") if isinstance(notify, dict) else None)


def _codes(environment: Environment) -> list[str]:
    from perilune.core.codes import CODES

    return list(CODES)


def _plans(environment: Environment) -> list[str]:
    from perilune.providers.contract.registry import providers

    return list(providers())


def _schemas(environment: Environment) -> list[str]:
    from perilune.core.schemas import schema_files

    return [name for name in schema_files() if "." not in name]


def _settings(environment: Environment) -> list[str]:
    from perilune.config.schema import Config

    return sorted(_keys(Config))


def _keys(struct: Any, above: str = "") -> list[str]:
    keys = []
    for field in struct.__struct_fields__:
        kind = struct.__annotations__[field]
        below = _keys(kind, f"{above}{field}.") if hasattr(kind, "__struct_fields__") else [f"{above}{field}"]
        keys += below
    return keys


_SOURCES: dict[str, Callable[[Environment], Sequence[str]]] = {
    "names": _accounts,
    "account": _accounts,
    "accounts": _accounts,
    "accounts.name": _accounts,
    "route": _routes,
    "routes": _routes,
    "notify.name": _channels,
    "channel": _channels,
    "code": _codes,
    "plan": _plans,
    "region": lambda environment: ("cn", "intl"),
    "config.name": _schemas,
    "config.key": _settings,
}
