"""The registry: forges are found by scanning the folder."""

import tomllib
from functools import cache
from importlib import import_module
from pathlib import Path

from msgspec import Struct

import perilune.forges
from perilune.core.decoding import converted
from perilune.forges.contract.client import ForgeMeans
from perilune.forges.contract.hooks import HookReader
from perilune.forges.contract.port import Forge
from perilune.forges.contract.spec import ForgeSpec


class ForgeKind(Struct, frozen=True):
    """One kind of forge: its data, and the package its behaviour is imported from."""

    spec: ForgeSpec
    package: str

    def open(self, means: ForgeMeans) -> Forge:
        """The adapter over one installation."""
        forge: Forge = import_module(f"{self.package}.adapter").open_forge(means)
        return forge

    @property
    def hooks(self) -> HookReader:
        """How its webhooks are checked and read."""
        reader: HookReader = import_module(f"{self.package}.hooks").HOOKS
        return reader


@cache
def forge_kinds() -> dict[str, ForgeKind]:
    """Every kind of forge by id."""
    roots = (Path(root) for root in perilune.forges.__path__)
    folders = sorted(file.parent for root in roots for file in root.glob("*/forge.toml"))
    kinds = [_load(folder) for folder in folders]
    return {kind.spec.id: kind for kind in kinds}


def _load(folder: Path) -> ForgeKind:
    data = tomllib.loads((folder / "forge.toml").read_text(encoding="utf-8"))
    return ForgeKind(converted(data, ForgeSpec), f"perilune.forges.{folder.name}")
