"""The endless line of i3bar: written on change and at least every 30 s, until the host goes."""

from __future__ import annotations

import os
import select
import signal
import sys

from perilune.faces.statusline.hosts.i3bar import HEADER, Stream, click_of
from perilune.faces.statusline.nudge import start_detached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perilune.faces.statusline.drawn import Drawn

_EVERY_S = 30
_LOOK_S = 1.0
_LOOKS = int(_EVERY_S / _LOOK_S)
_OPEN, _REFRESH = 1, 3
_COMMANDS = {
    _OPEN: ("-P", "-m", "perilune", "up", "--open"),
    _REFRESH: ("-P", "-m", "perilune", "status", "--refresh", "-q", "--no-input"),
}


def run_stream(draw: Callable[[], Sequence[Drawn]], act: Callable[[tuple[str, ...]], None] = start_detached) -> None:
    """Write updates and answer clicks until standard input ends or the host stops us."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    stream, looks = Stream(), 0
    _write(HEADER)
    clicks = _Clicks(sys.stdin.fileno() if sys.stdin is not None else -1)
    while True:
        line = stream.update(draw(), is_due=looks % _LOOKS == 0)
        if line is not None:
            _write(line)
        looks += 1
        buttons = clicks.within(_LOOK_S)
        if buttons is None:
            return
        for button in buttons:
            if button in _COMMANDS:
                act(_COMMANDS[button])


class _Clicks:
    """Click events from standard input."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""

    def within(self, seconds: float) -> list[int] | None:
        """The buttons pressed within so many seconds; None when the input has ended."""
        if self._descriptor < 0:
            return None
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if not ready:
            return []
        chunk = os.read(self._descriptor, 65_536)
        if not chunk:
            return None
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        found = (click_of(line.decode("utf-8", "replace")) for line in lines)
        return [button for button in found if button is not None]


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)
