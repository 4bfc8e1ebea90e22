"""Look-up of message texts by language and id, loaded area by area when first needed."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import Literal

from perilune.core.messages.language import pick_language

__all__ = ["Language", "message", "message_ids", "pick_language"]

Language = Literal["en", "zh-CN"]

_PACKAGES: dict[Language, str] = {"en": "perilune.core.messages.en", "zh-CN": "perilune.core.messages.zh_cn"}
_ERROR_AREAS = (
    "errors_reading",
    "errors_sources",
    "errors_gateway",
    "errors_lint",
    "errors_review",
    "errors_forges",
    "errors_house",
    "errors_notify",
)


def message(language: Language, message_id: str) -> str | None:
    """The text of a message, English where the translation is missing, None where the id is unknown."""
    fallback: tuple[Language, ...] = (language, "en")
    for candidate in fallback:
        for area in _areas_of(message_id):
            text = _texts(candidate, area).get(message_id)
            if text is not None:
                return text
    return None


def message_ids(language: Language) -> set[str]:
    """Every id that `language` has a text for."""
    package = import_module(_PACKAGES[language])
    areas = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return {message_id for area in areas for message_id in _texts(language, area)}


def _areas_of(message_id: str) -> tuple[str, ...]:
    if message_id.startswith("explain.PL-"):
        return ("explain", "explain_more")
    return _ERROR_AREAS if message_id.startswith("PL-") else (message_id.partition(".")[0],)


@cache
def _texts(language: Language, area: str) -> dict[str, str]:
    name = f"{_PACKAGES[language]}.{area}"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return {}
    texts: dict[str, str] = module.MESSAGES
    return texts
