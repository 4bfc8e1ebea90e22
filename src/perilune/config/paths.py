"""Where configuration, data and run-time files are on this platform."""

import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

_NAME = "perilune"


class Paths(Struct, frozen=True, kw_only=True):
    """The folders of one user, and the files in them."""

    config_folder: Path
    data_folder: Path
    runtime_folder: Path

    @property
    def config_file(self) -> Path:
        return self.config_folder / "config.toml"

    @property
    def store_file(self) -> Path:
        return self.data_folder / "perilune.db"

    @property
    def vault_folder(self) -> Path:
        return self.data_folder / "vault"


def find_paths(environment: Mapping[str, str], platform: str = sys.platform, home: Path | None = None) -> Paths:
    """The folders that this environment asks for. `PERILUNE_HOME` puts everything in one; nothing is created."""
    one_folder = environment.get("PERILUNE_HOME")
    if one_folder:
        folder = Path(one_folder).expanduser().absolute()
        return Paths(config_folder=folder, data_folder=folder, runtime_folder=folder / "run")
    home = home or Path(environment.get("HOME") or Path.home())
    if platform == "win32":
        return _windows(environment, home)
    if platform == "darwin":
        folder = home / "Library" / "Application Support" / _NAME
        return Paths(config_folder=folder, data_folder=folder, runtime_folder=folder / "run")
    return _xdg(environment, home)


def _xdg(environment: Mapping[str, str], home: Path) -> Paths:
    data = _absolute(environment.get("XDG_DATA_HOME"), home / ".local" / "share") / _NAME
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    return Paths(
        config_folder=_absolute(environment.get("XDG_CONFIG_HOME"), home / ".config") / _NAME,
        data_folder=data,
        runtime_folder=Path(runtime) / _NAME if runtime.startswith("/") else data / "run",
    )


def _windows(environment: Mapping[str, str], home: Path) -> Paths:
    roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    local = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    data = local / _NAME
    return Paths(config_folder=roaming / _NAME, data_folder=data, runtime_folder=data / "run")


def _absolute(value: str | None, otherwise: Path) -> Path:
    """XDG says that a relative path is to be ignored."""
    return Path(value) if value and value.startswith("/") else otherwise
