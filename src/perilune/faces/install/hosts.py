"""What each host of a status line needs, and in which of its files."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from perilune import __version__
from perilune.faces.install.edits import Edit
from perilune.faces.install.edits.block import Block, Whole
from perilune.faces.install.edits.json_member import JsonMember
from perilune.faces.install.edits.toml_key import TomlKey


class Change(Struct, frozen=True, kw_only=True):
    """One edit of one file. `note` is a message on what is left to do by hand; `mode` that of a new file."""

    name: str
    file: Path
    edit: Edit
    note: str | None = None
    mode: int | None = None


class Paste(Struct, frozen=True, kw_only=True):
    """Text that belongs into a place which only the user knows."""

    file: Path
    text: str


_PROGRAM = "perilune statusline --for"


class Places(Struct, frozen=True):
    """Where a user's programs keep their settings."""

    environment: Mapping[str, str]

    @property
    def home(self) -> Path:
        return Path(self.environment.get("HOME") or Path.home())

    @property
    def config(self) -> Path:
        named = self.environment.get("XDG_CONFIG_HOME", "")
        return Path(named) if named.startswith("/") else self.home / ".config"

    def named(self, variable: str, otherwise: Path) -> Path:
        """The path that a variable names."""
        value = self.environment.get(variable)
        return Path(value).expanduser() if value else otherwise


def statusline(host: str, places: Places) -> Change | Paste | None:
    """What a host needs; None for one that reads plain text without any settings."""
    found = _HOSTS.get(host)
    return None if found is None else found(places)


def _claude(places: Places) -> Change:
    folder = places.named("CLAUDE_CONFIG_DIR", places.home / ".claude")
    entry = {"type": "command", "command": f"{_PROGRAM} claude"}
    return Change(name="claude", file=folder / "settings.json", edit=JsonMember(key="statusLine", value=entry))


def _kimi(places: Places) -> Change:
    folder = places.named("KIMI_CODE_HOME", places.home / ".kimi-code")
    edit = TomlKey(table="status_line", key="command", value=f'"{_PROGRAM} kimi"')
    return Change(name="kimi", file=folder / "tui.toml", edit=edit)


def _tmux(places: Places) -> Change:
    modern = places.config / "tmux" / "tmux.conf"
    file = modern if modern.exists() else places.home / ".tmux.conf"
    line = f"set -ag status-right ' #({_PROGRAM} tmux)'\n"
    return Change(name="tmux", file=file, edit=Block(line), note="install.note.tmux")


def _starship(places: Places) -> Change:
    file = places.named("STARSHIP_CONFIG", places.config / "starship.toml")
    lines = f'[custom.perilune]\ncommand = "{_PROGRAM} starship"\nwhen = true\nformat = "[$output]($style) "\n'
    return Change(name="starship", file=file, edit=Block(lines))


def _i3status_rs(places: Places) -> Change:
    file = places.config / "i3status-rust" / "config.toml"
    lines = f'[[block]]\nblock = "custom"\ncommand = "{_PROGRAM} i3status-rs"\njson = true\ninterval = 30\n'
    return Change(name="i3status-rs", file=file, edit=Block(lines))


def _polybar(places: Places) -> Change:
    lines = f"[module/perilune]\ntype = custom/script\nexec = {_PROGRAM} polybar\ninterval = 30\n"
    edit = Block(lines)
    return Change(name="polybar", file=places.config / "polybar" / "config.ini", edit=edit, note="install.note.polybar")


def _i3bar(places: Places) -> Paste:
    folder = "sway" if places.environment.get("SWAYSOCK") else "i3"
    return Paste(file=places.config / folder / "config", text=f"bar {{\n    status_command {_PROGRAM} i3bar\n}}\n")


def waybar(places: Places) -> tuple[Change, Change]:
    """The module and its colours."""
    folder = places.config / "waybar"
    named = [folder / "config.jsonc", folder / "config"]
    file = next((one for one in named if one.exists()), named[0])
    module = {
        "exec": f"{_PROGRAM} waybar",
        "return-type": "json",
        "interval": 30,
        "signal": 8,
        "escape": False,
        "on-click": "perilune up --open",
    }
    member = JsonMember(key="custom/perilune", value=module)
    return (
        Change(name="waybar", file=file, edit=member, note="install.note.waybar"),
        Change(name="waybar-style", file=folder / "style.css", edit=Block(_WAYBAR_STYLE)),
    )


_WAYBAR_STYLE = """\
#custom-perilune.high { color: #E69F00; }
#custom-perilune.spent { color: #D55E00; }
#custom-perilune.stale { color: #9AA3AD; }
#custom-perilune.error { color: #D55E00; }
"""
_PLUGIN = """\
#!/bin/sh
# <xbar.title>Perilune</xbar.title>
# <xbar.version>v{version}</xbar.version>
# <xbar.author>Perilune</xbar.author>
# <xbar.desc>What your keys have left, and when it comes back.</xbar.desc>
# <xbar.dependencies>perilune</xbar.dependencies>
# <xbar.var>string(ACCOUNT=""): account name</xbar.var>
{more}PATH="$PATH:/usr/local/bin:/opt/homebrew/bin:$HOME/.local/bin"
if [ -n "$ACCOUNT" ]; then
  exec perilune statusline --for {host} --account "$ACCOUNT"
fi
exec perilune statusline --for {host}
"""


def _xbar(places: Places) -> Change:
    folder = places.home / "Library" / "Application Support" / "xbar" / "plugins"
    edit = Whole(_PLUGIN.format(version=__version__, host="xbar", more=""))
    return Change(name="xbar", file=folder / "perilune.1m.sh", edit=edit, mode=0o755)


def _swiftbar(places: Places) -> Change:
    folder = places.named(
        "SWIFTBAR_PLUGINS_PATH", places.home / "Library" / "Application Support" / "SwiftBar" / "Plugins"
    )
    schedule = "# <swiftbar.schedule>* * * * *</swiftbar.schedule>\n"
    edit = Whole(_PLUGIN.format(version=__version__, host="swiftbar", more=schedule))
    return Change(name="swiftbar", file=folder / "perilune.1m.sh", edit=edit, mode=0o755)


_HOSTS: dict[str, Callable[[Places], Change | Paste]] = {
    "claude": _claude,
    "kimi": _kimi,
    "tmux": _tmux,
    "starship": _starship,
    "i3status-rs": _i3status_rs,
    "polybar": _polybar,
    "i3bar": _i3bar,
    "xbar": _xbar,
    "swiftbar": _swiftbar,
}
HOSTS = ("waybar", *_HOSTS)
