"""Where the value of a setting comes from: flag, environment, file, plan default, default."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from perilune.catalog.plan import Plan
from perilune.config.faults import names_at, unknown_key
from perilune.config.layout import KeyPath, scan
from perilune.config.load import Loaded
from perilune.config.settings import settings, variable_of
from perilune.core.errors import ConfigError

Kind = Literal["flag", "environment", "file", "plan", "default"]
_MISSING: Any = object()


class Given(Struct, frozen=True):
    """One place that can give a value. `value` is None where it gives none; `note` names the variable or file."""

    kind: Kind
    value: Any = None
    is_given: bool = False
    note: str = ""
    is_used: bool = False


def value_of(loaded: Loaded, key: str) -> Any:
    """The value of a setting, a section or a named table, as plain data.

    Raises: PL-CONFIG-KEY with the nearest key.
    """
    data: Any = msgspec.to_builtins(_whole(loaded.config))
    for depth, step in enumerate(key.split("."), start=1):
        found = _step(data, step)
        if found is _MISSING:
            known = list(data) if isinstance(data, dict) else [str(item.get("name")) for item in data]
            raise ConfigError(unknown_key(".".join(key.split(".")[:depth]), _prefixed(key, depth, known)))
        data = found
    return data


def _prefixed(key: str, depth: int, names: list[str]) -> list[str]:
    before = key.split(".")[: depth - 1]
    return [".".join([*before, name]) for name in names]


def _step(data: Any, step: str) -> Any:
    if isinstance(data, dict):
        return data.get(step, _MISSING)
    if isinstance(data, list):
        return next((item for item in data if isinstance(item, dict) and item.get("name") == step), _MISSING)
    return _MISSING


def _whole(value: Any) -> Any:
    """A struct with all its fields, defaults too, as nested dicts."""
    if isinstance(value, msgspec.Struct):
        return {name: _whole(getattr(value, name)) for name in value.__struct_fields__}
    return [_whole(item) for item in value] if isinstance(value, (list, tuple)) else value


def path_of(data: Mapping[str, Any], key: str) -> KeyPath:
    """The path of a dotted key in a file's data; tables of a list are found by name.

    Raises: PL-CONFIG-KEY with the nearest key.
    """
    path: list[str | int] = []
    here: Any = data
    for step in key.split("."):
        if isinstance(here, list):
            index = next((at for at, item in enumerate(here) if item.get("name") == step), None)
            if index is None:
                raise ConfigError(unknown_key(key, [str(item.get("name")) for item in here]))
            path.append(index)
            here = here[index]
        else:
            known = names_at(tuple(path))
            if known and step not in known:
                raise ConfigError(unknown_key(key, _prefixed(key, len(path) + 1, known)))
            path.append(step)
            here = here.get(step, {}) if isinstance(here, dict) else {}
    return tuple(path)


def givens(loaded: Loaded, key: str, plans: Mapping[str, Plan]) -> list[Given]:
    """Every place that can give a setting, the strongest first; the first that does is used.

    Raises: PL-CONFIG-KEY with the nearest key.
    """
    value_of(loaded, key)
    rows = [*_outside(loaded, key), _file(loaded, key), *_plan_default(loaded, key, plans), *_default(key)]
    used = next((index for index, row in enumerate(rows) if row.is_given), None)
    return [msgspec.structs.replace(row, is_used=index == used) for index, row in enumerate(rows)]


def _outside(loaded: Loaded, key: str) -> list[Given]:
    if loaded.origins.get(_account_name(key)) in ("environment", "fixed"):
        value = value_of(loaded, key)
        source = str(value_of(loaded, f"accounts.{_account_name(key)}.key")).removeprefix("env:")
        return [Given("environment", value, is_given=True, note=source)]
    rows = [Given("flag", loaded.from_flags.get(key), is_given=key in loaded.from_flags)]
    if key in settings():
        value = loaded.from_environment.get(key)
        rows.append(Given("environment", value, is_given=key in loaded.from_environment, note=variable_of(key)))
    return rows


def _account_name(key: str) -> str:
    parts = key.split(".")
    return parts[1] if parts[0] == "accounts" and len(parts) > 1 else ""


def _file(loaded: Loaded, key: str) -> Given:
    try:
        path = path_of(loaded.data, key)
        value: Any = loaded.data
        for step in path:
            value = value[step]
    except (ConfigError, KeyError, IndexError, TypeError):
        return Given("file")
    line = scan(loaded.text).line_of(path)
    return Given("file", value, is_given=True, note=f"{loaded.file}:{line}")


def _plan_default(loaded: Loaded, key: str, plans: Mapping[str, Plan]) -> list[Given]:
    parts = key.split(".")
    if parts[0] != "accounts" or parts[-1] != "max_concurrent_requests":
        return []
    plan = plans.get(str(value_of(loaded, f"accounts.{parts[1]}.plan")))
    cap = plan.default_cap if plan else None
    return [Given("plan", cap, is_given=cap is not None, note=plan.id if plan else "")]


def _default(key: str) -> list[Given]:
    setting = settings().get(key)
    return [Given("default", msgspec.to_builtins(setting.default), is_given=True)] if setting else []
