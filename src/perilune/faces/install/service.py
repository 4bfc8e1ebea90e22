"""The service as the system starts it: a systemd unit of the user, or a launchd agent."""

import shutil
import sys
from xml.sax.saxutils import escape

from perilune.faces.install.edits.block import Whole
from perilune.faces.install.hosts import Change, Places

_UNIT = """\
[Unit]
Description=Perilune: quota monitor, gateway and reviewer
After=network-online.target

[Service]
ExecStart={command} up
Restart=on-failure
RestartSec=5
{environment}
[Install]
WantedBy=default.target
"""
_AGENT = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>{label}</string>
  <key>ProgramArguments</key>
  <array>
{arguments}
  </array>
{environment}  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
</dict>
</plist>
"""
_LABEL = "local.perilune"


def service(places: Places, platform: str = sys.platform) -> Change | None:
    """What starts the service when the user logs in; None on a platform without either."""
    if platform == "darwin":
        file = places.home / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
        return Change(name="service", file=file, edit=Whole(_agent(places)), note="install.note.launchd")
    if platform.startswith(("linux", "freebsd")):
        file = places.config / "systemd" / "user" / "perilune.service"
        return Change(name="service", file=file, edit=Whole(_unit(places)), note="install.note.systemd")
    return None


def _command() -> list[str]:
    found = shutil.which("perilune")
    return [found] if found else [sys.executable, "-m", "perilune"]


def _unit(places: Places) -> str:
    command = " ".join(_quoted(part) for part in _command())
    home = places.environment.get("PERILUNE_HOME")
    environment = f"Environment={_quoted(f'PERILUNE_HOME={home}')}\n" if home else ""
    return _UNIT.format(command=command, environment=environment)


def _quoted(text: str) -> str:
    """A word as systemd reads it."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(character in text for character in ' "\\;') else text


def _agent(places: Places) -> str:
    arguments = "\n".join(f"    <string>{escape(part)}</string>" for part in [*_command(), "up"])
    home = places.environment.get("PERILUNE_HOME")
    environment = ""
    if home:
        entry = f"<dict><key>PERILUNE_HOME</key><string>{escape(home)}</string></dict>"
        environment = f"  <key>EnvironmentVariables</key>{entry}\n"
    return _AGENT.format(label=_LABEL, arguments=arguments, environment=environment)
