"""Desktops without a screen and terminals without a person, for showing status lines in the programs that draw them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from perilune.sandbox import keys
from scripts._kimi_client import KimiClient

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 25.0
_AS_A_PERSON = () if os.getuid() else ("unshare", "--user", "--map-user=1000")  # sway refuses to run as root


def MISSING(*programs: str) -> str:  # noqa: N802 - reads as the question it is
    """Which of these programs are not installed, as text."""
    return ", ".join(name for name in programs if shutil.which(name) is None)


def wait_for(found: Callable[[], str], seconds: float = PATIENCE_S) -> str:
    """What was found within the time, empty when nothing was."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if what := found():
            return what
        time.sleep(0.3)
    return ""


class User:
    """A home of its own with one account, and commands in it."""

    def __init__(self, home: Path, upstream: str) -> None:
        self.home, self.config = home, home / ".config"
        (home / "run").mkdir(parents=True, mode=0o700)
        kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
        self.environment = {
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "XDG_RUNTIME_DIR": str(home / "run"),
            "TMUX_TMPDIR": str(home / "run"),
            "PYTHONPATH": str(ROOT / "src"),
            "PERILUNE_UPSTREAM": upstream,
            "KIMI_CODE_API_KEY": keys.KIMI_CN,
        }

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """One command of this user."""
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def perilune(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One command of ours."""
        return self.run("perilune", *arguments)


@dataclass
class Screen:
    """A terminal of 120 columns whose contents can be read."""

    user: User

    def text(self, *more: str) -> str:
        return self.user.run("tmux", "-L", "outer", "capture-pane", "-p", *more).stdout

    def press(self, key: str) -> None:
        self.user.run("tmux", "-L", "outer", "send-keys", key)

    def with_colours(self) -> str:
        return self.text("-e")

    def line_with(self, part: str) -> str:
        """The end of the last line that holds `part`, from there on; empty without one."""
        lines = [line for line in self.text().splitlines() if part in line]
        return lines[-1][lines[-1].index(part) :].strip() if lines else ""


@contextmanager
def screen(user: User, command: str) -> Iterator[Screen]:
    """A command in such a terminal."""
    user.run("tmux", "-L", "outer", "-f", os.devnull, "new-session", "-d", "-x", "120", "-y", "24", f"TMUX= {command}")
    try:
        yield Screen(user)
    finally:
        user.run("tmux", "-L", "outer", "kill-server")


@contextmanager
def kimi_screen(user: User, command: list[str]) -> Iterator[Screen]:
    """The vendor's client, logged in and set up by `install`, in a terminal."""
    client = KimiClient(command, user.home / ".kimi-code", user.environment["PERILUNE_UPSTREAM"])
    client.log_in()
    user.perilune("install", "statusline", "--for", "kimi", "--yes")
    user.environment |= {name: value for name, value in client.environment.items() if name not in ("PATH", "HOME")}
    with screen(user, " ".join(command)) as shown:
        wait_for(lambda: shown.line_with("Trust this folder"))
        shown.press("Enter")
        yield shown


def claude_code(place: Path) -> str | None:
    """The program, from the user's path or where ./scripts/clients puts it."""
    builds = sorted((place / "claude" / "node_modules" / "@anthropic-ai").glob("claude-code-*/claude"))
    return shutil.which("claude") or (str(builds[0]) if builds else None)


@contextmanager
def claude_screen(user: User, program: str) -> Iterator[Screen]:
    """Claude Code past its first questions, with an address of ours as its vendor, in a terminal."""
    user.perilune("install", "statusline", "--for", "claude", "--yes")
    key = "sk-EXAMPLE0client0key0000000000000"
    known = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [key[-20:]], "rejected": []},
        "projects": {str(user.home): {"hasTrustDialogAccepted": True}},
    }
    (user.home / ".claude.json").write_text(json.dumps(known), encoding="utf-8")
    user.environment |= {"ANTHROPIC_BASE_URL": "http://127.0.0.1:8787", "ANTHROPIC_API_KEY": key}
    user.environment |= {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    with screen(user, program) as shown:
        yield shown


@dataclass
class Started:
    """A program under way, and what it wrote."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def told(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass
class Desktop:
    """A desktop without a screen; `picture` gives the colours that are drawn as bytes, blue first."""

    user: User
    picture: Callable[[], bytes]
    started: list[Started] = field(default_factory=list)

    def start(self, *command: str) -> Started:
        log = Path(tempfile.mkstemp(dir=self.user.home)[1])
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                env=self.user.environment,
                cwd=self.user.home,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.started.append(Started(process, log))
        return self.started[-1]

    def has_colour(self, colour: str) -> bool:
        return bytes.fromhex(colour) in self.picture()

    def stop(self) -> None:
        for one in reversed(self.started):
            with suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGTERM)
            try:
                one.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(one.process.pid, signal.SIGKILL)
                one.process.wait()


@contextmanager
def sway(user: User, bar: str) -> Iterator[Desktop]:
    """A Wayland desktop that draws into memory."""
    config = user.home / "sway.conf"
    config.write_text(f"output * resolution 1000x200\nxwayland disable\n{bar}")
    user.environment |= {"WLR_BACKENDS": "headless", "WLR_LIBINPUT_NO_DEVICES": "1", "WLR_RENDERER": "pixman"}
    desktop = Desktop(user, lambda: _photographed(user))
    desktop.start(*_AS_A_PERSON, "sway", "-c", str(config))
    name = wait_for(lambda: next((one.name for one in (user.home / "run").glob("wayland-*[0-9]")), ""))
    user.environment["WAYLAND_DISPLAY"] = name
    try:
        yield desktop
    finally:
        desktop.stop()


def _photographed(user: User) -> bytes:
    """What is drawn as rows of red, green, blue."""
    file = user.home / "picture.ppm"
    user.run("grim", "-t", "ppm", str(file))
    return file.read_bytes() if file.is_file() else b""


@contextmanager
def xserver(user: User) -> Iterator[Desktop]:
    """An X server that draws into a file."""
    frame, reader, writer = user.home / "frame", *os.pipe()
    frame.mkdir()
    desktop = Desktop(user, lambda: _turned(frame / "Xvfb_screen0"))
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1000x200x24", "-fbdir", str(frame)]
    process = subprocess.Popen(command, pass_fds=(writer,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        user.environment["DISPLAY"] = f":{os.read(reader, 16).decode().strip()}"
        yield desktop
    finally:
        os.close(reader)
        desktop.stop()
        process.terminate()
        process.wait(10)


def _turned(file: Path) -> bytes:
    """The server's picture, whose points are blue, green, red and one byte unused, as red, green, blue."""
    points = file.read_bytes() if file.is_file() else b""
    points = points[len(points) % 4 :]
    turned = bytearray(len(points) // 4 * 3)
    turned[0::3], turned[1::3], turned[2::3] = points[2::4], points[1::4], points[0::4]
    return bytes(turned)
