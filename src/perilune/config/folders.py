"""Where this user's folders are, as plain text. Imports nothing heavy: a status line passes through here."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "perilune"
CONFIG_FILE = "config.toml"
STORE_FILE = "perilune.db"
LINE_FILE = "line.json"
WISH_FILE = "line.wanted"
LOG_FILE = "service.log"


class Folders:
    """Configuration, data and run-time folder of one user."""

    __slots__ = ("config", "data", "runtime")

    def __init__(self, config: str, data: str, runtime: str) -> None:
        self.config, self.data, self.runtime = config, data, runtime


def find_folders(environment: Mapping[str, str], platform: str = sys.platform, home: str | None = None) -> Folders:
    """The folders that this environment asks for. `PERILUNE_HOME` puts everything in one; nothing is created."""
    one_folder = environment.get("PERILUNE_HOME")
    if one_folder:
        folder = os.path.join(os.getcwd(), os.path.expanduser(one_folder))  # noqa: PTH109, PTH111, PTH118
        return Folders(folder, folder, _join(folder, "run"))
    home = home or environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - pathlib costs 9 ms
    if platform == "win32":
        return _windows(environment, home)
    if platform == "darwin":
        folder = _join(home, "Library", "Application Support", _NAME)
        return Folders(folder, folder, _join(folder, "run"))
    return _xdg(environment, home)


def _xdg(environment: Mapping[str, str], home: str) -> Folders:
    data = _join(_absolute(environment.get("XDG_DATA_HOME"), _join(home, ".local", "share")), _NAME)
    config = _join(_absolute(environment.get("XDG_CONFIG_HOME"), _join(home, ".config")), _NAME)
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    return Folders(config, data, _join(runtime, _NAME) if runtime.startswith("/") else _join(data, "run"))


def _windows(environment: Mapping[str, str], home: str) -> Folders:
    roaming = environment.get("APPDATA") or _join(home, "AppData", "Roaming")
    data = _join(environment.get("LOCALAPPDATA") or _join(home, "AppData", "Local"), _NAME)
    return Folders(_join(roaming, _NAME), data, _join(data, "run"))


def _absolute(value: str | None, otherwise: str) -> str:
    """XDG says that a relative path is to be ignored."""
    return value if value and value.startswith("/") else otherwise


def _join(*parts: str) -> str:
    return os.path.join(*parts)  # noqa: PTH118 - pathlib costs 9 ms
