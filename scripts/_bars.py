"""Shows status lines in the real programs that draw them, each set up by `perilune install` as its user would.

What a text program shows is read from its screen; of a bar in a window the colour of the state is looked for in what is
drawn. Prints a table, exit status 1 on a "no". What is not installed is left out and said.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

from perilune.sandbox import running_sandbox
from scripts import _bar_ground as ground
from scripts._bar_ground import MISSING, User, wait_for
from scripts._kimi_client import find, folder

if TYPE_CHECKING:
    from perilune.sandbox.accounts import Membership

HIGH = "E69F00"
USED = Decimal(160)
LINE = "5h 80% "


@dataclass
class Check:
    """One program: whether it shows our line, None where it is not installed."""

    program: str
    holds: bool | None
    detail: str = ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bars", description="Status lines in the programs that show them.")
    parser.add_argument("--only", choices=sorted(SHOWN), help="one program")
    options = parser.parse_args(arguments)
    print("| Program | Shows our line | |\n|---|---|---|")
    shown: list[Check] = []
    for check in checks([options.only] if options.only else list(SHOWN)):
        said = {True: "yes", False: "**no**", None: "not installed"}[check.holds]
        print(f"| {check.program} | {said} | {check.detail} |", flush=True)
        shown.append(check)
    return 1 if any(check.holds is False for check in shown) else 0


def checks(names: list[str]) -> Iterator[Check]:
    """Each program in turn, over one account that is nearly spent."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work, running_sandbox() as played:
        cast("Membership", played.world.accounts["kimi-cn"]).windows["5h"].used = USED
        for name in names:
            user = User(Path(work) / name, played.url)
            user.perilune("status", "--refresh", "-q")
            yield SHOWN[name](user)


def tmux(user: User) -> Check:
    """The line in `status-right` of a client that is attached."""
    if missing := MISSING("tmux"):
        return missing_one("tmux", missing)
    (user.home / ".tmux.conf").write_text(
        "set -g status-right ''\nset -g status-right-length 70\nset -g status-interval 1\n"
    )
    user.perilune("install", "statusline", "--for", "tmux", "--yes")
    with ground.screen(user, f"tmux -L inner -f {user.home / '.tmux.conf'} new-session cat") as screen:
        last = wait_for(lambda: screen.line_with(LINE))
        coloured = f"38;5;{214}m{LINE}" in screen.with_colours()
        user.run("tmux", "-L", "inner", "kill-server")
    return Check("tmux", bool(last) and coloured, f"`{last}`, in colour 214")


def waybar(user: User) -> Check:
    """Module and colours as installed; the object is taken without a complaint and drawn in the colour of its class."""
    if missing := MISSING("waybar", "sway", "grim"):
        return missing_one("Waybar", missing)
    config = user.config / "waybar" / "config.jsonc"
    config.parent.mkdir(parents=True)
    config.write_text('{\n  "layer": "top",\n  "modules-right": ["custom/perilune"]\n}\n')
    user.perilune("install", "waybar", "--yes")
    with ground.sway(user, "") as desktop:
        bar = desktop.start("waybar", "-l", "debug")
        is_drawn = wait_for(lambda: HIGH if desktop.has_colour(HIGH) else "")
        log = bar.told()
    faults = [line for line in log.splitlines() if "[error]" in line and "perilune" in line]
    return Check("Waybar", bool(is_drawn) and not faults, "; ".join(faults) or f"module drawn in #{HIGH}, class `high`")


def swaybar(user: User) -> Check:
    """The endless protocol stream as `status_command`."""
    if missing := MISSING("swaybar", "sway", "grim"):
        return missing_one("swaybar", missing)
    bar = "bar {\n  swaybar_command swaybar\n  status_command perilune statusline --for i3bar\n}\n"
    with ground.sway(user, bar) as desktop:
        is_drawn = wait_for(lambda: HIGH if desktop.has_colour(HIGH) else "")
    return Check("swaybar", bool(is_drawn), f"block drawn in #{HIGH}")


def i3bar(user: User) -> Check:
    """The same stream under i3."""
    if missing := MISSING("i3", "i3bar", "Xvfb"):
        return missing_one("i3bar", missing)
    file = user.config / "i3" / "config"
    file.parent.mkdir(parents=True)
    shown = user.perilune("install", "statusline", "--for", "i3bar").stdout
    bar = "bar {\n    status_command perilune statusline --for i3bar\n}\n"
    file.write_text(f"# i3 config file (v4)\nfont pango:monospace 10\n{bar}")
    with ground.xserver(user) as desktop:
        desktop.start("i3", "-c", str(file))
        is_drawn = wait_for(lambda: HIGH if desktop.has_colour(HIGH) else "")
    is_told = "status_command perilune statusline --for i3bar" in shown
    return Check("i3bar", bool(is_drawn) and is_told, f"block drawn in #{HIGH}")


def polybar(user: User) -> Check:
    """The module as installed, in a bar of the user's own."""
    if missing := MISSING("polybar", "Xvfb"):
        return missing_one("polybar", missing)
    file = user.config / "polybar" / "config.ini"
    file.parent.mkdir(parents=True)
    file.write_text("[bar/top]\nmodules-right = perilune\nheight = 24\nfont-0 = monospace:size=10\n")
    user.perilune("install", "statusline", "--for", "polybar", "--yes")
    with ground.xserver(user) as desktop:
        desktop.start("polybar", "-c", str(file), "top")
        is_drawn = wait_for(lambda: HIGH if desktop.has_colour(HIGH) else "")
    return Check("polybar", bool(is_drawn), f"module drawn in #{HIGH}")


def starship(user: User) -> Check:
    """The custom module as installed, within the program's own deadline."""
    if missing := MISSING("starship"):
        return missing_one("starship", missing)
    user.config.mkdir(parents=True)
    user.perilune("install", "statusline", "--for", "starship", "--yes")
    shown = user.run("starship", "module", "custom.perilune").stdout.strip()
    return Check("starship", LINE in shown, f"`{shown}`")


def kimi(user: User) -> Check:
    """The vendor's own client, logged in at the sandbox, with our line below its prompt."""
    command = find(folder())
    if command is None or MISSING("tmux"):
        return missing_one("kimi", "the client (./scripts/logins --install)")
    with ground.kimi_screen(user, command) as screen:
        shown = wait_for(lambda: screen.line_with("5h 80% ~"), 40)
    return Check("kimi", bool(shown), f"`{shown.strip()}`")


def claude(user: User) -> Check:
    """Claude Code, set to an address of ours, with our line below its prompt."""
    program = ground.claude_code(folder())
    if program is None or MISSING("tmux"):
        return missing_one("Claude Code", "the client (./scripts/clients --only claude)")
    with ground.claude_screen(user, program) as screen:
        shown = wait_for(lambda: screen.line_with(f"Kimi {LINE}"), 40)
    return Check("Claude Code", bool(shown), f"`{shown.partition('   ')[0]}`")


def missing_one(program: str, what: str) -> Check:
    """A program that cannot be shown here."""
    return Check(program, None, f"needs {what}")


SHOWN: dict[str, Callable[[User], Check]] = {
    "tmux": tmux,
    "waybar": waybar,
    "swaybar": swaybar,
    "i3bar": i3bar,
    "polybar": polybar,
    "starship": starship,
    "kimi": kimi,
    "claude": claude,
}

if __name__ == "__main__":
    sys.exit(main())
