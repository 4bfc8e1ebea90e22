"""The colours of states, as each kind of host wants them; the word or glyph beside them says the same."""

from __future__ import annotations

LIGHT = {
    "ok": "#0072B2",
    "high": "#8A5A00",
    "spent": "#A63F00",
    "error": "#A63F00",
    "stale": "#5A6068",
    "unknown": "#5A6068",
}
DARK = {
    "ok": "#56B4E9",
    "high": "#E69F00",
    "spent": "#D55E00",
    "error": "#D55E00",
    "stale": "#9AA3AD",
    "unknown": "#9AA3AD",
}
TERMINAL_256 = {"ok": 74, "high": 214, "spent": 166, "error": 166, "stale": 245, "unknown": 245}
SGR = {"ok": "34", "high": "33", "spent": "1;31", "error": "1;31", "stale": "90", "unknown": "90"}
GLYPHS = {"ok": "✓", "high": "▲", "spent": "●", "error": "✗", "stale": "◌", "unknown": "–"}
ASCII_GLYPHS = {"ok": "+", "high": "!", "spent": "#", "error": "x", "stale": "?", "unknown": "-"}
