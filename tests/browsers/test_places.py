"""Where profiles are found, by platform."""

from pathlib import Path

import pytest

from perilune.browsers.folders import count_profiles
from perilune.browsers.places import BROWSERS, find_profiles


def found(home: Path, platform: str = "linux", name: str | None = None) -> list[tuple[str, str]]:
    return [(one.browser, one.name) for one in find_profiles(home, {}, name, platform)]


def test_profiles_come_in_the_fixed_order_of_browsers(tmp_path: Path) -> None:
    config = tmp_path / ".config"
    for place in ("chromium/Default", "google-chrome/Default", "google-chrome/Profile 2", "microsoft-edge/Default"):
        (config / place).mkdir(parents=True)
    (config / "google-chrome" / "Person").mkdir()
    (config / "google-chrome" / "Crash Reports").mkdir()
    (config / "google-chrome" / "Local State").write_text('{"profile": {"info_cache": {"Person": {}, "../x": {}}}}')
    flatpak = tmp_path / ".var/app/org.chromium.Chromium/config/chromium/Default"
    flatpak.mkdir(parents=True)
    (tmp_path / "snap/chromium/common/chromium/Default").mkdir(parents=True)
    assert found(tmp_path) == [
        ("Chrome", "Default"), ("Chrome", "Profile 2"), ("Chrome", "Person"), ("Edge", "Default"),
        ("Chromium", "Default"), ("Chromium", "Default"), ("Chromium", "Default"),
    ]  # fmt: skip
    assert found(tmp_path, name="edge") == [("Edge", "Default")]
    assert count_profiles(tmp_path, "linux", {}) == {"Chrome": 3, "Edge": 1, "Chromium": 3}


def test_firefox_profiles_are_those_that_its_list_names(tmp_path: Path) -> None:
    root = tmp_path / ".mozilla" / "firefox"
    (root / "a.default").mkdir(parents=True)
    (root / "b.unlisted").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "profiles.ini").write_text(
        "[General]\nVersion=2\n[Profile0]\nName=default\nIsRelative=1\nPath=a.default\n"
        f"[Profile1]\nName=100%far\nIsRelative=0\nPath={elsewhere}\n[Profile2]\nName=gone\nPath=gone\n[Install1]\nX=1\n"
    )
    assert found(tmp_path) == [("Firefox", "default"), ("Firefox", "100%far")]


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("darwin", "Library/Application Support/Arc/User Data/Default"),
        ("darwin", "Library/Application Support/com.operasoftware.Opera/Default"),
        ("win32", "AppData/Local/Google/Chrome/User Data/Default"),
        ("win32", "AppData/Roaming/Opera Software/Opera Stable/Default"),
    ],
)
def test_other_platforms_have_their_own_folders(tmp_path: Path, platform: str, place: str) -> None:
    (tmp_path / place).mkdir(parents=True)
    assert len(found(tmp_path, platform)) == 1
    assert found(tmp_path, "linux") == []


def test_a_folder_that_is_itself_a_profile_counts(tmp_path: Path) -> None:
    (tmp_path / ".config" / "opera").mkdir(parents=True)
    (tmp_path / ".config" / "opera" / "Cookies").write_bytes(b"")
    assert found(tmp_path) == [("Opera", "opera")]


def test_every_browser_has_a_place() -> None:
    assert len({browser.name for browser in BROWSERS}) == len(BROWSERS)
    assert all(browser.linux or browser.macos or browser.windows for browser in BROWSERS)
