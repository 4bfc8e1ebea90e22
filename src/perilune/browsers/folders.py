"""Browser profiles counted by their folders. No store of a browser is opened here."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_CHROMIUM: dict[str, dict[str, str]] = {
    "linux": {
        "Chrome": ".config/google-chrome",
        "Chromium": ".config/chromium",
        "Edge": ".config/microsoft-edge",
        "Brave": ".config/BraveSoftware/Brave-Browser",
        "Vivaldi": ".config/vivaldi",
        "Opera": ".config/opera",
    },
    "darwin": {
        "Chrome": "Library/Application Support/Google/Chrome",
        "Chromium": "Library/Application Support/Chromium",
        "Edge": "Library/Application Support/Microsoft Edge",
        "Brave": "Library/Application Support/BraveSoftware/Brave-Browser",
        "Vivaldi": "Library/Application Support/Vivaldi",
        "Opera": "Library/Application Support/com.operasoftware.Opera",
        "Arc": "Library/Application Support/Arc/User Data",
    },
    "win32": {
        "Chrome": "AppData/Local/Google/Chrome/User Data",
        "Chromium": "AppData/Local/Chromium/User Data",
        "Edge": "AppData/Local/Microsoft/Edge/User Data",
        "Brave": "AppData/Local/BraveSoftware/Brave-Browser/User Data",
        "Vivaldi": "AppData/Local/Vivaldi/User Data",
    },
}
_FIREFOX: dict[str, dict[str, tuple[str, ...]]] = {
    "linux": {"Firefox": (".mozilla/firefox", ".config/mozilla/firefox"), "LibreWolf": (".librewolf",)},
    "darwin": {"Firefox": ("Library/Application Support/Firefox/Profiles",)},
    "win32": {"Firefox": ("AppData/Roaming/Mozilla/Firefox/Profiles",)},
}


def count_profiles(home: Path, platform: str = sys.platform) -> Mapping[str, int]:
    """How many profiles each browser has; browsers without any are left out."""
    counts = {
        name: len(list(_chromium_profiles(home / folder))) for name, folder in _CHROMIUM.get(platform, {}).items()
    }
    for name, folders in _FIREFOX.get(platform, {}).items():
        counts[name] = sum(len(list(_firefox_profiles(home / folder))) for folder in folders)
    return {name: count for name, count in counts.items() if count}


def _chromium_profiles(folder: Path) -> Iterator[Path]:
    yield from (path for path in (folder / "Default", *folder.glob("Profile [0-9]*")) if path.is_dir())


def _firefox_profiles(folder: Path) -> Iterator[Path]:
    """Profile folders are named `RANDOM.NAME`."""
    yield from (path for path in folder.glob("*.*") if path.is_dir() and (path / "times.json").exists())
