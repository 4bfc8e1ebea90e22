"""Messages: every sentence a person reads, in English and Simplified Chinese, looked up by id.

One catalogue feeds command line, pages, notifications and the API. A message id is `AREA.NAME`; the area is a module of
both languages (`en/status.py`, `zh_cn/status.py`) holding `MESSAGES: dict[str, str]`. Error codes (`PL-…`) live in the
areas listed in `_ERROR_AREAS`. Placeholders are `{name}`, filled by a `Voice`.

The names below are imported when first asked for: a status line reads texts without paying for a `Voice`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.core.messages.catalogue import Language, message, message_ids
    from perilune.core.messages.language import pick_language
    from perilune.core.messages.voice import Voice

__all__ = ["Language", "Voice", "message", "message_ids", "pick_language"]

_HOMES = {"Voice": "voice", "pick_language": "language"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module

    module = import_module(f"perilune.core.messages.{_HOMES.get(name, 'catalogue')}")
    value: object = getattr(module, name)
    globals()[name] = value
    return value
