"""Where browsers keep their profiles, by platform, in the order they are looked at."""

import configparser
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from perilune.browsers.stored import Family, Profile

_LARGEST_INI = 1024 * 1024


class Browser(Struct, frozen=True, kw_only=True):
    """One browser: where its folders are, below the home unless said, and its name in the desktop's keyring.

    Shape: `linux` below the configuration folder for the Chromium family, below the home for the others; `flatpak` is
    an application id whose own folders stand in for both; `windows` begins with `Local` or `Roaming`.
    """

    name: str
    family: Family = "chromium"
    application: str = ""
    linux: tuple[str, ...] = ()
    snap: tuple[str, ...] = ()
    flatpak: str = ""
    macos: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()


BROWSERS: tuple[Browser, ...] = (
    Browser(name="Arc", application="arc", macos=("Arc/User Data",)),
    Browser(
        name="Chrome", application="chrome", linux=("google-chrome",), flatpak="com.google.Chrome",
        macos=("Google/Chrome",), windows=("Local/Google/Chrome/User Data",),
    ),
    Browser(name="Safari", family="safari", macos=("",)),
    Browser(
        name="Edge", application="microsoft-edge", linux=("microsoft-edge",), flatpak="com.microsoft.Edge",
        macos=("Microsoft Edge",), windows=("Local/Microsoft/Edge/User Data",),
    ),
    Browser(
        name="Brave", application="brave", linux=("BraveSoftware/Brave-Browser",), flatpak="com.brave.Browser",
        macos=("BraveSoftware/Brave-Browser",), windows=("Local/BraveSoftware/Brave-Browser/User Data",),
    ),
    Browser(
        name="Chromium", application="chromium", linux=("chromium",), snap=("snap/chromium/common/chromium",),
        flatpak="org.chromium.Chromium", macos=("Chromium",), windows=("Local/Chromium/User Data",),
    ),
    Browser(
        name="Vivaldi", application="vivaldi", linux=("vivaldi",), flatpak="com.vivaldi.Vivaldi",
        macos=("Vivaldi",), windows=("Local/Vivaldi/User Data",),
    ),
    Browser(
        name="Opera", application="opera", linux=("opera",), flatpak="com.opera.Opera",
        macos=("com.operasoftware.Opera",), windows=("Roaming/Opera Software/Opera Stable",),
    ),
    Browser(
        name="Firefox", family="firefox", linux=(".mozilla/firefox", ".config/mozilla/firefox"),
        snap=("snap/firefox/common/.mozilla/firefox",), flatpak="org.mozilla.firefox",
        macos=("Firefox",), windows=("Roaming/Mozilla/Firefox",),
    ),
    Browser(name="LibreWolf", family="firefox", linux=(".librewolf",), macos=("librewolf",),
            windows=("Roaming/librewolf",)),
)  # fmt: skip


def find_profiles(
    home: Path,
    environment: Mapping[str, str],
    name: str | None = None,
    platform: str = sys.platform,
    first: str | None = None,
) -> Iterator[Profile]:
    """The profiles of all browsers, or of the one of that name, by their folders. No store is opened.

    `first` is the browser to begin with.
    """
    for browser in sorted(BROWSERS, key=lambda one: one.name != first):
        if name is not None and browser.name.lower() != name.lower():
            continue
        for root in roots(browser, home, environment, platform):
            for label, folder in _PROFILES[browser.family](root):
                yield Profile(
                    browser=browser.name,
                    family=browser.family,
                    name=label,
                    folder=folder,
                    application=browser.application,
                )


def roots(browser: Browser, home: Path, environment: Mapping[str, str], platform: str) -> list[Path]:
    """The folders of a browser that are there."""
    found: list[Path] = []
    if platform == "darwin":
        base = home / "Library"
        base = base if browser.family == "safari" else base / "Application Support"
        found = [base / place for place in browser.macos]
    elif platform == "win32":
        found = [_windows(home, environment, place) for place in browser.windows]
    else:
        base = _configuration(home, environment) if browser.family == "chromium" else home
        found = [*(base / place for place in browser.linux), *(home / place for place in browser.snap)]
        if browser.flatpak:
            inside = "config" if browser.family == "chromium" else ""
            found += [home / ".var" / "app" / browser.flatpak / inside / place for place in browser.linux[:1]]
    return [root for root in dict.fromkeys(found) if root.is_dir()]


def chromium_profiles(root: Path) -> Iterator[tuple[str, Path]]:
    """`Default`, `Profile N`, those that `Local State` names; the root itself where it is a profile."""
    names = ["Default", *sorted(path.name for path in root.glob("Profile [0-9]*")), *_named_profiles(root)]
    for name in dict.fromkeys(names):
        if (root / name).is_dir():
            yield name, root / name
    if (root / "Cookies").is_file() or (root / "Network" / "Cookies").is_file():
        yield root.name, root


def firefox_profiles(root: Path) -> Iterator[tuple[str, Path]]:
    """The profiles that `profiles.ini` lists and that are there."""
    for name, path, is_relative in _listed(root / "profiles.ini"):
        folder = root / path if is_relative else Path(path)
        if folder.is_dir():
            yield name, folder


def safari_profiles(root: Path) -> Iterator[tuple[str, Path]]:
    """The one profile of the user's Library, where the program is known to keep something."""
    kept = (root / "Containers" / "com.apple.Safari", root / "Safari", root / "Cookies" / "Cookies.binarycookies")
    if any(_may_be_there(place) for place in kept):
        yield "Safari", root


def _may_be_there(place: Path) -> bool:
    """What may not be looked at may be there; reading it tells that it is not allowed."""
    try:
        place.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


_PROFILES: dict[Family, Callable[[Path], Iterator[tuple[str, Path]]]] = {
    "chromium": chromium_profiles,
    "firefox": firefox_profiles,
    "safari": safari_profiles,
}


def _named_profiles(root: Path) -> list[str]:
    try:
        state = json.loads((root / "Local State").read_bytes())
        cache = state["profile"]["info_cache"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return [name for name in cache if isinstance(name, str) and Path(name).name == name] if cache else []


def _listed(file: Path) -> Iterator[tuple[str, str, bool]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(file.read_bytes()[:_LARGEST_INI].decode("utf-8", "replace"))
    except (OSError, configparser.Error):
        return
    for section in parser.sections():
        values = parser[section]
        if section.startswith("Profile") and values.get("Path"):
            yield values.get("Name", section), values["Path"], values.get("IsRelative", "1") == "1"


def _configuration(home: Path, environment: Mapping[str, str]) -> Path:
    place = Path(environment.get("XDG_CONFIG_HOME") or "")
    return place if place.is_absolute() else home / ".config"


def _windows(home: Path, environment: Mapping[str, str], place: str) -> Path:
    kind, _, rest = place.partition("/")
    variable = "LOCALAPPDATA" if kind == "Local" else "APPDATA"
    return Path(environment.get(variable) or home / "AppData" / kind) / rest
