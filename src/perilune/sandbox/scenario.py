"""Scenarios: a state of the vendors, and what happens to it as time goes by, in a TOML file."""

from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from perilune.core.errors import UsageError
from perilune.sandbox.accounts import Account
from perilune.sandbox.behaviour import Behaviour
from perilune.sandbox.faults import Fault
from perilune.sandbox.speech import Script

_FOLDER = "scenarios"


class Step(Struct, kw_only=True, forbid_unknown_fields=True):
    """One change at `at_s` seconds of the sandbox's clock after the scenario began."""

    at_s: float
    accounts: dict[str, Any] = field(default_factory=dict)
    behaviour: dict[str, Any] = field(default_factory=dict)
    script: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class Login(Struct, kw_only=True, forbid_unknown_fields=True):
    """How device logins go: approved by themselves after so many polls, or by the control surface."""

    auto_approve_after: int | None = None
    interval: int = 5
    expires_in: int = 1_800
    token_life_s: int = 900
    enforces_interval: bool = True
    account: str | None = None


class Scenario(Struct, kw_only=True, forbid_unknown_fields=True):
    """Everything that a sandbox starts with."""

    title: str = ""
    extends: str | None = None
    starts_at: datetime | None = None
    is_frozen: bool = False
    seed: int = 1
    records_bodies: bool = False
    accounts: dict[str, Account] = field(default_factory=dict)
    behaviour: Behaviour = field(default_factory=Behaviour)
    script: Script = field(default_factory=Script)
    login: Login = field(default_factory=Login)
    faults: list[Fault] = field(default_factory=list)
    timeline: list[Step] = field(default_factory=list)


def scenario_names() -> list[str]:
    """The names of the shipped scenarios."""
    folder = resources.files("perilune.sandbox") / _FOLDER
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_scenario(name_or_file: str) -> Scenario:
    """A shipped scenario by name, or one from a file.

    Raises: UsageError when there is none, or when it does not fit.
    """
    try:
        return build_scenario(_table(name_or_file))
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise UsageError.of("PL-SANDBOX", variant="scenario", scenario=name_or_file, reason=str(error)) from None


def build_scenario(table: Mapping[str, Any]) -> Scenario:
    """A scenario from a table; what it extends is merged below it. Raises: msgspec.ValidationError."""
    base = _table(str(table["extends"])) if table.get("extends") else {}
    own = {name: value for name, value in table.items() if name != "extends"}
    merged = merged_tables(_flat(base), own)
    return msgspec.convert(merged, Scenario)


def _flat(table: Mapping[str, Any]) -> Mapping[str, Any]:
    if not table.get("extends"):
        return table
    own = {name: value for name, value in table.items() if name not in ("extends", "title")}
    return merged_tables(_flat(_table(str(table["extends"]))), own)


def merged_tables(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: tables merge key by key, None in a table's place removes it, everything else replaces."""
    result = dict(base)
    for name, value in over.items():
        below = result.get(name)
        if value is None and isinstance(below, Mapping):
            del result[name]
            continue
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[name] = merged_tables(below, value) if both else value  # type: ignore[arg-type]
    return result


def _table(name_or_file: str) -> dict[str, Any]:
    shipped = resources.files("perilune.sandbox") / _FOLDER / f"{name_or_file}.toml"
    if name_or_file in scenario_names():
        text = shipped.read_text(encoding="utf-8")
    else:
        try:
            text = Path(name_or_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            known = ", ".join(scenario_names())
            raise UsageError.of(
                "PL-USAGE", variant="choice", option="--scenario", value=name_or_file, choices=known
            ) from None
    table: dict[str, Any] = msgspec.toml.decode(text)
    return table
