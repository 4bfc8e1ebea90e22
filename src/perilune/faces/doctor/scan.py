"""The checks there are: every module of the folder `checks` with a `CHECK`."""

import pkgutil
from importlib import import_module

from perilune.faces.doctor import checks
from perilune.faces.doctor.check import Check


def all_checks() -> list[Check]:
    """Every check, in its place."""
    names = [module.name for module in pkgutil.iter_modules(checks.__path__)]
    found: list[Check] = [import_module(f"{checks.__name__}.{name}").CHECK for name in names]
    return sorted(found, key=lambda check: check.place)
