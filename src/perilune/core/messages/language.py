"""Which language a reader gets. Imports nothing: a status line passes through here."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from perilune.core.messages.catalogue import Language


def pick_language(environment: Mapping[str, str], configured: str | None = None, flag: str | None = None) -> Language:
    """The language of a run: flag, PERILUNE_LANG, configuration, LC_ALL, LC_MESSAGES, LANG; `zh…` is zh-CN, else en."""
    candidates = (
        flag,
        environment.get("PERILUNE_LANG"),
        configured,
        environment.get("LC_ALL"),
        environment.get("LC_MESSAGES"),
        environment.get("LANG"),
    )
    chosen = next((value for value in candidates if value), "")
    return "zh-CN" if chosen.lower().startswith("zh") else "en"
