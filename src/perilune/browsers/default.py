"""Which browser a person opens links with, as far as files tell; its profiles are looked at first."""

import configparser
import plistlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_WORDS = {  # parts of a desktop file's name or a bundle's id, in the order that tells them apart
    "librewolf": "LibreWolf", "firefox": "Firefox", "brave": "Brave", "chromium": "Chromium", "chrome": "Chrome",
    "edge": "Edge", "vivaldi": "Vivaldi", "opera": "Opera", "safari": "Safari", "thebrowser": "Arc",
}  # fmt: skip
_LARGEST = 4 * 1024 * 1024
_SCHEME = "x-scheme-handler/https"
_SECTION = "Default Applications"


def default_browser(home: Path, environment: Mapping[str, str], platform: str) -> str | None:
    """The browser's name, None where it is not known."""
    said = _of_macos(home) if platform == "darwin" else _of_desktop(home, environment)
    return next((name for word, name in _WORDS.items() if word in said.lower()), None)


def _of_desktop(home: Path, environment: Mapping[str, str]) -> str:
    """The first application for links that the desktop's own list names."""
    place = Path(environment.get("XDG_CONFIG_HOME") or "")
    file = (place if place.is_absolute() else home / ".config") / "mimeapps.list"
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    try:
        parser.read_string(file.read_bytes()[:_LARGEST].decode("utf-8", "replace"))
    except (OSError, configparser.Error):
        return ""
    return parser.get(_SECTION, _SCHEME, fallback="").partition(";")[0]


def _of_macos(home: Path) -> str:
    """Source: LSHandlers of com.apple.launchservices.secure.plist."""
    folder = home / "Library" / "Preferences" / "com.apple.LaunchServices"
    try:
        with (folder / "com.apple.launchservices.secure.plist").open("rb") as opened:
            read: Any = plistlib.loads(opened.read(_LARGEST))
    except (OSError, ValueError, plistlib.InvalidFileException):
        return ""
    handlers = read.get("LSHandlers") if isinstance(read, dict) else None
    for handler in handlers if isinstance(handlers, list) else ():
        if isinstance(handler, dict) and handler.get("LSHandlerURLScheme") == "https":
            return str(handler.get("LSHandlerRoleAll", ""))
    return ""
