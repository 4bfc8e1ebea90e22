"""i3bar and swaybar: one array that never ends, an array of blocks for each update; clicks come on standard input."""

from __future__ import annotations

import json

from perilune.faces.statusline.hues import DARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from perilune.faces.statusline.drawn import Drawn

HEADER = '{"version":1,"click_events":true}\n[\n[]'
_URGENT = ("spent", "error")


def render(drawn: Drawn) -> str:
    """One block without the stream (`--once`)."""
    return _json(block(drawn, is_urgent=drawn.state in _URGENT), drawn)


def block(drawn: Drawn, *, is_urgent: bool) -> dict[str, object]:
    """One account's block."""
    return {
        "name": "perilune",
        "instance": drawn.view.name,
        "full_text": drawn.full(),
        "short_text": drawn.narrow(),
        "color": DARK[drawn.state],
        "urgent": is_urgent,
        "markup": "none",
    }


class Stream:
    """The updates of one run. A block is urgent on the first update after its account came to be spent or refused."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._told = ""

    def update(self, drawn: Sequence[Drawn], *, is_due: bool) -> str | None:
        """The next line; None when nothing changed and none is due."""
        blocks = [block(one, is_urgent=self._has_turned(one)) for one in drawn]
        told = json.dumps([one | {"urgent": False} for one in blocks])
        has_edge = any(one["urgent"] for one in blocks)
        if told == self._told and not is_due and not has_edge:
            return None
        self._told = told
        self._states = {one.view.name: one.state for one in drawn}
        return f",[{','.join(_json(one, drawn[0]) for one in blocks)}]"

    def _has_turned(self, drawn: Drawn) -> bool:
        return drawn.state in _URGENT and self._states.get(drawn.view.name) != drawn.state


def click_of(line: str) -> int | None:
    """The mouse button of a click event; None for anything else."""
    try:
        event = json.loads(line.strip().lstrip("[,"))
    except (ValueError, RecursionError):
        return None
    button = event.get("button") if isinstance(event, dict) and event.get("name") == "perilune" else None
    return button if isinstance(button, int) else None


def _json(value: object, drawn: Drawn) -> str:
    return json.dumps(value, ensure_ascii=drawn.is_ascii, separators=(",", ":"))
