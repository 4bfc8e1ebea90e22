"""The registry: providers are found by scanning the folder, third parties by an entry-point group.

A provider folder holds `provider.toml` and, where the vendor has ways of its own, the modules `read`, `send` and
`errors`; what is absent falls back to the generic behaviour of the dialects it speaks. Modules are imported when used.
"""

import sys
import tomllib
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from msgspec import Struct

import perilune.providers
from perilune.catalog.plan import Plan
from perilune.core.decoding import converted

ENTRY_POINT_GROUP = "perilune.providers"
_FILE = "entry_points.txt"


class Provider(Struct, frozen=True):
    """One vendor: its plan as data, and the package its behaviour is imported from."""

    plan: Plan
    package: str

    def module(self, name: str) -> ModuleType | None:
        """The provider's own module of that name (`read`, `send`, `errors`), None where it has none."""
        full_name = f"{self.package}.{name}"
        return import_module(full_name) if find_spec(full_name) is not None else None


@cache
def providers() -> dict[str, Provider]:
    """Every provider by plan id, in the order: built-in folders by name, then third parties."""
    found = [_load(folder, f"perilune.providers.{folder.name}") for folder in _folders()]
    found += [_load_third_party(package) for package in _third_parties()]
    return {provider.plan.id: provider for provider in found}


def plan(plan_id: str) -> Plan | None:
    """The plan of that id, None when no provider has it."""
    provider = providers().get(plan_id)
    return None if provider is None else provider.plan


def _third_parties() -> list[str]:
    """Packages named in the entry-point group. Files are searched for it first: reading all metadata is slow."""
    files = (
        file for root in sys.path for kind in ("dist", "egg") for file in Path(root).glob(f"*.{kind}-info/{_FILE}")
    )
    if not any(f"[{ENTRY_POINT_GROUP}]" in file.read_text(encoding="utf-8", errors="replace") for file in files):
        return []
    from importlib.metadata import entry_points

    return [point.value for point in entry_points(group=ENTRY_POINT_GROUP)]


def _folders() -> list[Path]:
    roots = (Path(root) for root in perilune.providers.__path__)
    return sorted(file.parent for root in roots for file in root.glob("*/provider.toml"))


def _load(folder: Path, package: str) -> Provider:
    data = tomllib.loads((folder / "provider.toml").read_text(encoding="utf-8"))
    return Provider(converted(data, Plan), package)


def _load_third_party(package: str) -> Provider:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"{package}, named in the entry-point group {ENTRY_POINT_GROUP}, is not a package")
    return _load(Path(spec.submodule_search_locations[0]), package)
