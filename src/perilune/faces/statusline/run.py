"""`perilune statusline`: one line, always, and exit status 0. Nothing here waits for a network or a database."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from perilune.config.folders import find_folders
from perilune.core.messages.language import pick_language
from perilune.faces.statusline import nudge, phrase, stored
from perilune.faces.statusline.drawn import Drawn
from perilune.faces.statusline.options import Options, read_options
from perilune.faces.statusline.reader import Reader
from perilune.faces.statusline.view import Broken, View, choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perilune.config.folders import Folders
    from perilune.faces.statusline.hostinput import HostInput
    from perilune.quota.line import Line, LineAccount

    Remake = Callable[[], None]

_HOSTS = {"starship": "plain", "i3status-rs": "i3status_rs", "swiftbar": "xbar"}
_READING_HOSTS = ("claude", "kimi")


def main(arguments: Sequence[str], remake: Remake | None = None) -> int | None:
    """Print the line of a command line and return 0; None when a help page is asked for.

    `remake` writes the line anew from the store, where it is missing or the configuration has changed since.
    """
    options = read_options(arguments)
    if options is None:
        return None
    run(options, os.environ, remake)
    return 0


def run(options: Options, environment: Mapping[str, str], remake: Remake | None = None) -> None:
    """Print the line; whatever happens, something is printed and nothing is raised."""
    try:
        source = Source(options, environment, remake)
        if options.target == "i3bar" and not options.is_once:
            from perilune.faces.statusline.stream import run_stream

            run_stream(source.drawn)
        else:
            _print(source.text())
    except BrokenPipeError:
        _point_nowhere()
    except Exception:  # noqa: BLE001 - the loop boundary: a bar shows an error box unless it is given a line
        _print(_fallback(options.target))


class Source:
    """Where the line of one command line comes from."""

    def __init__(self, options: Options, environment: Mapping[str, str], remake: Remake | None = None) -> None:
        self._options, self._environment, self._remake = options, environment, remake
        self._folders: Folders = find_folders(environment)
        self._input: HostInput | None = None
        if options.target in _READING_HOSTS:
            from perilune.faces.statusline.hostinput import HostInput

            self._input = HostInput.started()

    def text(self) -> str:
        """What the host is given."""
        drawn = self.drawn()
        name = _HOSTS.get(self._options.target, self._options.target)
        host = import_module(f"perilune.faces.statusline.hosts.{name}")
        text: str = host.render(drawn[0])
        return text

    def drawn(self) -> list[Drawn]:
        """The accounts as they are drawn now: one, or all with `--all`."""
        now, line, is_broken = nudge.now_s(), None, False
        try:
            line = self._fresh_line(now)
        except Broken:
            is_broken = True
        reader = self._reader(line, now)
        self._complain(reader)
        stdin = self._input.taken() if self._input else {}
        return [self._draw(line, account, reader, is_broken, stdin) for account in self._accounts(line)]

    def _fresh_line(self, now: int) -> Line | None:
        if self._remake is not None and stored.is_outdated(self._folders):
            self._remake()
        line = stored.load(self._folders)
        if line is not None and nudge.is_stale(line, now):
            nudge.nudge(self._folders, line, now)
        return line

    def _accounts(self, line: Line | None) -> Sequence[LineAccount | None]:
        if self._options.is_all and line is not None and line.accounts:
            return tuple(line.accounts)
        return (choose(line, self._options.account),)

    def _draw(
        self, line: Line | None, account: LineAccount | None, reader: Reader, is_broken: bool, stdin: dict[str, object]
    ) -> Drawn:
        view = View(line, account, reader.now, self._options.account)
        is_swiftbar = self._options.target == "swiftbar"
        return Drawn(
            view,
            reader,
            is_ascii=self._is_ascii(line),
            is_broken=is_broken,
            has_colour=not (self._options.is_colourless or self._environment.get("NO_COLOR")),
            template=None if account is None else self._options.template,
            stdin=stdin,
            environment={**self._environment, "SWIFTBAR": "1"} if is_swiftbar else self._environment,
        )

    def _reader(self, line: Line | None, now: int) -> Reader:
        display = line.display if line is not None else None
        configured = display.lang if display else None
        language = pick_language(self._environment, configured, self._options.lang) if _is_utf8() else "en"
        clock = display.clock if display else "24h"
        shows_left = (self._options.percent or (display.percent if display else "used")) == "left"
        zone = self._options.zone or (display.tz if display and not self._environment.get("TZ") else None)
        try:
            return Reader(language, now, zone, clock=clock, shows_left=shows_left)
        except (KeyError, ValueError, OSError):
            self._options.fault = ("statusline.usage.zone", {"name": str(zone)})
            return Reader(language, now, clock=clock, shows_left=shows_left)

    def _is_ascii(self, line: Line | None) -> bool:
        is_wide = line is not None and line.display.ambiguous_width == 2
        is_poor = sys.stdout is not None and sys.stdout.isatty() and self._environment.get("TERM") in ("dumb", "linux")
        return self._options.is_ascii or is_wide or is_poor or not _is_utf8()

    def _complain(self, reader: Reader) -> None:
        if sys.stderr is None:
            return
        if self._options.fault is not None:
            message_id, facts = self._options.fault
            told = reader.say("statusline.usage", message=reader.say(message_id, **facts))
            sys.stderr.write(f"error[PL-USAGE]: {told}\n")
            self._options.fault = None
        if self._options.template is not None:
            from perilune.faces.statusline.tokens import complain

            complain(self._options.template, reader)


def _fallback(target: str) -> str:
    """The line of last resort in the form of the host, made without anything that may have failed."""
    if target == "waybar":
        return f'{{"text":"{phrase.STORE}","alt":"error","class":["error"],"tooltip":"{phrase.STORE}"}}'
    if target == "i3status-rs":
        return f'{{"icon":"","state":"Critical","text":"{phrase.STORE}","short_text":"{phrase.STORE}"}}'
    if target == "i3bar":
        return f'{{"name":"perilune","full_text":"{phrase.STORE}","short_text":"{phrase.STORE}"}}'
    return phrase.STORE


def _is_utf8() -> bool:
    encoding = "utf-8" if sys.stdout is None else (sys.stdout.encoding or "ascii")
    return encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig", "cp65001")


def _print(text: str) -> None:
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _point_nowhere()


def _point_nowhere() -> None:
    """The reader has gone; what is left in the buffer must not be a fault when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
