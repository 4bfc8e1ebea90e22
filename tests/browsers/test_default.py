"""The browser that a person opens links with."""

import plistlib
from pathlib import Path

import pytest

from perilune.browsers.default import default_browser


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("firefox-esr.desktop;chromium.desktop", "Firefox"),
        ("io.gitlab.librewolf-community.desktop", "LibreWolf"),
        ("google-chrome.desktop", "Chrome"),
        ("chromium.desktop", "Chromium"),
        ("w3m.desktop", None),
    ],
)
def test_the_desktops_list_names_it(tmp_path: Path, entry: str, name: str | None) -> None:
    file = tmp_path / ".config" / "mimeapps.list"
    file.parent.mkdir()
    file.write_text(f"[Default Applications]\ntext/html=w3m.desktop\nx-scheme-handler/https={entry}\n")
    assert default_browser(tmp_path, {}, "linux") == name
    assert default_browser(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / ".config")}, "linux") == name


def test_macos_names_a_bundle(tmp_path: Path) -> None:
    folder = tmp_path / "Library" / "Preferences" / "com.apple.LaunchServices"
    folder.mkdir(parents=True)
    handlers = [
        {"LSHandlerURLScheme": "http"},
        {"LSHandlerURLScheme": "https", "LSHandlerRoleAll": "com.brave.Browser"},
    ]
    (folder / "com.apple.launchservices.secure.plist").write_bytes(plistlib.dumps({"LSHandlers": handlers}))
    assert default_browser(tmp_path, {}, "darwin") == "Brave"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[Default Applications", b"x = 1"])
def test_what_cannot_be_read_names_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ".config" / "mimeapps.list"
    file.parent.mkdir()
    file.write_bytes(content)
    assert default_browser(tmp_path, {}, "linux") is None
    assert default_browser(tmp_path, {}, "darwin") is None
