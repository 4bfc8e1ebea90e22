"""i3status-rust: one JSON object for a custom block with `json = true`."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.faces.statusline.drawn import Drawn

_STATES = {
    "ok": "Good",
    "high": "Warning",
    "spent": "Critical",
    "error": "Critical",
    "stale": "Idle",
    "unknown": "Idle",
}


def render(drawn: Drawn) -> str:
    """The object on one line."""
    block = {"icon": "", "state": _STATES[drawn.state], "text": drawn.full(), "short_text": drawn.narrow()}
    return json.dumps(block, ensure_ascii=drawn.is_ascii, separators=(",", ":"))
