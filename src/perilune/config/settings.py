"""Every setting that has a place of its own, with its type, default and environment variable."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from perilune.config.schema import Config
from perilune.core.decoding import converted
from perilune.core.errors import ConfigError

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


class Setting(Struct, frozen=True):
    """One setting. Lists of tables (`accounts`, `gateway.routes`, `review.paths`) have no variable."""

    key: str
    type: Any
    default: Any
    variable: str


@cache
def settings() -> dict[str, Setting]:
    """Every setting by its dotted key, in the order of the schema."""
    return {setting.key: setting for setting in _walk(Config, "")}


def _walk(struct: type[Struct], prefix: str) -> Iterator[Setting]:
    for field in fields(struct):
        key = f"{prefix}{field.encode_name}"
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            yield from _walk(field.type, f"{key}.")
        elif not _is_list_of_tables(field.type) and key != "schema":
            default = field.default_factory() if field.default is NODEFAULT else field.default
            yield Setting(key, field.type, default, variable_of(key))


def _is_list_of_tables(kind: Any) -> bool:
    parts = getattr(kind, "__args__", ())
    return any(isinstance(part, type) and issubclass(part, Struct) for part in parts)


def variable_of(key: str) -> str:
    """The environment variable of a setting: `gateway.listen` is `PERILUNE_GATEWAY_LISTEN`."""
    return "PERILUNE_" + key.upper().replace(".", "_")


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment gives, by dotted key. An empty variable is none.

    Lists are written with commas, tables as `KEY=VALUE` with commas.
    Raises: PL-CONFIG-VALUE naming the variable.
    """
    if not any(name.startswith("PERILUNE_") for name in environment):
        return {}
    given = ((setting, environment.get(setting.variable, "").strip()) for setting in settings().values())
    return {setting.key: read_value(setting, text, setting.variable) for setting, text in given if text}


def read_value(setting: Setting, text: str, place: str) -> Any:
    """The value that a text means for a setting, checked against its type.

    Raises: PL-CONFIG-VALUE naming `place`.
    """
    from perilune.config.faults import value_problem

    candidate = _candidate(setting, text)
    try:
        return msgspec.to_builtins(converted(candidate, setting.type, strict=False))
    except msgspec.ValidationError as error:
        raise ConfigError(value_problem(str(error), place, setting.key, text, setting.type)) from None


def _candidate(setting: Setting, text: str) -> Any:
    if isinstance(setting.default, bool) and text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    if isinstance(setting.default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(setting.default, dict):
        pairs = (part.partition("=") for part in text.split(",") if part.strip())
        return {name.strip(): value.strip() for name, _, value in pairs}
    return text
