"""Loading: the file, the environment above it, the flags above that, checked against the schema."""

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from perilune.config.schema import Config
from perilune.config.settings import from_environment
from perilune.core.decoding import converted
from perilune.core.errors import ConfigError, Problem

Origin = Literal["file", "environment", "fixed"]


class Loaded(Struct, frozen=True, kw_only=True):
    """A configuration and what it was made of.

    Shape: `text` and `data` are the file's own, empty where there is none; `from_environment` and `from_flags` hold
    the values set there, by dotted key; `origins` says of each account where it comes from.
    """

    config: Config
    file: Path
    exists: bool = False
    text: str = ""
    data: dict[str, Any] = {}
    from_environment: dict[str, Any] = {}
    from_flags: dict[str, Any] = {}
    warnings: tuple[Problem, ...] = ()
    origins: dict[str, Origin] = {}


def load(file: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Loaded:
    """The configuration as it holds for this run.

    Raises: PL-CONFIG-SYNTAX, PL-CONFIG-KEY, PL-CONFIG-VALUE with file and line, or with the variable's name.
    """
    text = read_text(file)
    data = parse(text or "", file.name)
    above, top = from_environment(environment), dict(flags or {})
    merged = converted(overlay(data, {**above, **top}), Config)
    return Loaded(
        config=merged,
        file=file,
        exists=text is not None,
        text=text or "",
        data=data,
        from_environment=above,
        from_flags=top,
        warnings=tuple(mode_warnings(file)) if text is not None else (),
    )


def read_text(file: Path) -> str | None:
    """The file's text, None where there is no file."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        facts = {"place": f"{file.name}:1:{error.start + 1}", "message": "TOML is UTF-8, this is not"}
        raise ConfigError(Problem(code="PL-CONFIG-SYNTAX", facts=facts)) from None


def parse(text: str, file_name: str) -> dict[str, Any]:
    """The data of a configuration text that the schema takes.

    Raises: the first of its faults.
    """
    from perilune.config.faults import faults, syntax_problem

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(syntax_problem(error, text, file_name)) from None
    except RecursionError:
        facts = {"place": f"{file_name}:1:1", "message": "values nested too deep"}
        raise ConfigError(Problem(code="PL-CONFIG-SYNTAX", facts=facts)) from None
    try:
        converted(data, Config)
    except msgspec.ValidationError:
        raise ConfigError(faults(data, text, file_name)[0]) from None
    return data


def overlay(data: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The data with values laid over it, by dotted key."""
    result = dict(data)
    for key, value in values.items():
        first, _, rest = key.partition(".")
        result[first] = overlay(result.get(first, {}), {rest: value}) if rest else value
    return result


def mode_warnings(file: Path) -> list[Problem]:
    """PL-CONFIG-MODE when others can read the file."""
    if os.name != "posix":
        return []
    mode = stat.S_IMODE(file.stat().st_mode)
    if not mode & 0o077:
        return []
    facts = {"file": file.name, "path": str(file), "mode": f"{mode:03o}"}
    return [Problem(code="PL-CONFIG-MODE", facts=facts)]
