"""Where configuration, data and run-time files are on this platform."""

import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from perilune.config.folders import CONFIG_FILE, LINE_FILE, LOG_FILE, STORE_FILE, WISH_FILE, find_folders


class Paths(Struct, frozen=True, kw_only=True):
    """The folders of one user, and the files in them."""

    config_folder: Path
    data_folder: Path
    runtime_folder: Path

    @property
    def config_file(self) -> Path:
        return self.config_folder / CONFIG_FILE

    @property
    def store_file(self) -> Path:
        return self.data_folder / STORE_FILE

    @property
    def line_file(self) -> Path:
        return self.data_folder / LINE_FILE

    @property
    def wish_file(self) -> Path:
        return self.data_folder / WISH_FILE

    @property
    def log_file(self) -> Path:
        return self.data_folder / LOG_FILE

    @property
    def vault_folder(self) -> Path:
        return self.data_folder / "vault"


def find_paths(environment: Mapping[str, str], platform: str = sys.platform, home: Path | None = None) -> Paths:
    """The folders that this environment asks for. `PERILUNE_HOME` puts everything in one; nothing is created."""
    folders = find_folders(environment, platform, None if home is None else str(home))
    return Paths(
        config_folder=Path(folders.config), data_folder=Path(folders.data), runtime_folder=Path(folders.runtime)
    )
