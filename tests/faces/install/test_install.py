"""`perilune install`: shown, written, written once, taken out."""

import json
import os
import plistlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perilune.faces.install import service as services
from perilune.faces.install.edits.block import Whole
from perilune.faces.install.hosts import HOSTS, Change, Places, statusline

Installs = Callable[..., Any]


def home() -> Path:
    return Path(os.environ["HOME"])


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def tui() -> Path:
    file = home() / ".kimi-code" / "tui.toml"
    file.parent.mkdir()
    file.write_text("")
    return file


def test_the_change_is_shown_and_nothing_written(installs: Installs, tui: Path) -> None:
    done = installs("statusline", "--for", "kimi")
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "~/.kimi-code/tui.toml\n"
        "+ [status_line]\n"
        '+ command = "perilune statusline --for kimi"\n'
        "Nothing written. Write it: perilune install statusline --for kimi --yes\n"
        "Backup goes to ~/.kimi-code/tui.toml.perilune-20261120-200000\n"
    )
    assert files_below(home()) == {".kimi-code/tui.toml": b""}


def test_it_is_written_once_with_a_copy(installs: Installs, tui: Path) -> None:
    tui.write_text('theme = "dark"\n')
    tui.chmod(0o640)
    assert "Written: ~/.kimi-code/tui.toml" in installs("statusline", "--for", "kimi", "--yes").out
    assert tui.read_text() == 'theme = "dark"\n\n[status_line]\ncommand = "perilune statusline --for kimi"\n'
    assert tui.stat().st_mode & 0o777 == 0o640
    assert (tui.parent / "tui.toml.perilune-20261120-200000").read_text() == 'theme = "dark"\n'
    before = files_below(home())
    again = installs("statusline", "--for", "kimi", "--yes")
    assert again.out == "Already there; nothing to change: ~/.kimi-code/tui.toml\n"
    assert files_below(home()) == before


def test_undo_takes_out_ours_and_keeps_what_others_wrote_since(installs: Installs, tui: Path) -> None:
    tui.write_text('theme = "dark"\n')
    installs("statusline", "--for", "kimi", "--yes")
    tui.write_text(tui.read_text().replace("dark", "light") + "\n[later]\nx = 1\n")
    done = installs("statusline", "--for", "kimi", "--undo")
    assert tui.read_text() == 'theme = "light"\n\n[later]\nx = 1\n'
    assert "has changed since" in done.out
    assert installs("statusline", "--for", "kimi", "--undo").out == "Nothing of ours is in ~/.kimi-code/tui.toml\n"


def test_undo_brings_back_what_stood_in_our_place(installs: Installs, tui: Path) -> None:
    text = '[status_line]\ncommand = "mine.sh"\n'
    tui.write_text(text)
    installs("statusline", "--for", "kimi", "--yes")
    done = installs("statusline", "--for", "kimi", "--undo")
    assert tui.read_text() == text
    assert "has changed since" not in done.out


@pytest.mark.parametrize("host", [host for host in HOSTS if host != "i3bar"])
def test_undo_leaves_nothing_behind_in_an_empty_home(installs: Installs, host: str) -> None:
    assert installs("statusline", "--for", host, "--yes").status == 0
    written = {name for name in files_below(home()) if not name.startswith("perilune/")}
    assert written
    installs("statusline", "--for", host, "--undo")
    left = {name for name in files_below(home()) if not name.startswith("perilune/") and ".perilune-" not in name}
    assert left == set()


def test_settings_of_a_coding_tool_keep_their_order(installs: Installs) -> None:
    file = home() / ".claude" / "settings.json"
    file.parent.mkdir()
    text = '{\n  "model": "x",\n  "env": {"A": "1"}\n}\n'
    file.write_text(text)
    installs("statusline", "--for", "claude", "--yes")
    told = json.loads(file.read_text())
    assert list(told) == ["model", "env", "statusLine"]
    assert told["statusLine"] == {"type": "command", "command": "perilune statusline --for claude"}
    installs("statusline", "--for", "claude", "--undo")
    assert file.read_text() == text


def test_a_link_stays_a_link(installs: Installs) -> None:
    kept = home() / "dotfiles.conf"
    kept.write_text("set -g mouse on\n")
    (home() / ".tmux.conf").symlink_to(kept)
    installs("statusline", "--for", "tmux", "--yes")
    assert (home() / ".tmux.conf").is_symlink()
    assert kept.read_text() == "set -g mouse on\nset -ag status-right ' #(perilune statusline --for tmux)'\n"


def test_a_file_that_cannot_be_understood_is_left_alone(installs: Installs) -> None:
    file = home() / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text("{ not json")
    done = installs("statusline", "--for", "claude", "--yes")
    assert done.status == 2
    assert "PL-USAGE" in done.err
    assert file.read_text() == "{ not json"


def test_waybar_gets_its_module_and_its_colours(installs: Installs) -> None:
    folder = home() / ".config" / "waybar"
    folder.mkdir(parents=True)
    (folder / "config").write_text('{\n  "modules-right": ["clock"] // mine\n}\n')
    installs("waybar", "--yes")
    told = (folder / "config").read_text()
    assert '"modules-right": ["clock"], "custom/perilune"' not in told
    module = json.loads(told.replace("// mine", ""))["custom/perilune"]
    assert module == {
        "exec": "perilune statusline --for waybar", "return-type": "json", "interval": 30, "signal": 8,
        "escape": False, "on-click": "perilune up --open",
    }  # fmt: skip
    style = (folder / "style.css").read_text()
    assert [name for name in ("high", "spent", "stale", "error") if f".{name}" in style] == [
        "high",
        "spent",
        "stale",
        "error",
    ]


def test_what_belongs_into_a_place_of_the_users_own_is_shown_only(installs: Installs) -> None:
    done = installs("statusline", "--for", "i3bar", "--yes")
    assert "+     status_command perilune statusline --for i3bar" in done.out
    assert files_below(home()) == {}


def test_a_bar_s_plugin_can_be_run() -> None:
    change = statusline("swiftbar", Places(os.environ))
    assert isinstance(change, Change)
    assert isinstance(change.edit, Whole)
    assert (change.file.name, change.mode) == ("perilune.1m.sh", 0o755)
    script = change.edit.text
    for tag in ("xbar.title", "xbar.version", "xbar.author", "xbar.desc", "swiftbar.schedule"):
        assert f"<{tag}>" in script
    assert '<xbar.var>string(ACCOUNT=""): account name</xbar.var>' in script
    assert subprocess.run(["/bin/sh", "-n"], input=script.encode(), check=False).returncode == 0


def test_the_service_is_a_unit_or_an_agent(installs: Installs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_command", lambda: ["/opt/my tools/perilune"])
    monkeypatch.setenv("PERILUNE_HOME", "/srv/a&b")
    places = Places(os.environ)
    unit = services.service(places, "linux")
    agent = services.service(places, "darwin")
    assert unit is not None
    assert agent is not None
    assert isinstance(unit.edit, Whole)
    assert isinstance(agent.edit, Whole)
    assert 'ExecStart="/opt/my tools/perilune" up\n' in unit.edit.text
    assert "Environment=PERILUNE_HOME=/srv/a&b\n" in unit.edit.text
    told = plistlib.loads(agent.edit.text.encode())
    assert told["ProgramArguments"] == ["/opt/my tools/perilune", "up"]
    assert told["EnvironmentVariables"] == {"PERILUNE_HOME": "/srv/a&b"}
    assert services.service(places, "win32") is None


def test_chinese(installs: Installs, tui: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERILUNE_LANG", "zh-CN")
    assert "尚未写入。写入：perilune install statusline --for kimi --yes" in installs("statusline", "--for", "kimi").out
