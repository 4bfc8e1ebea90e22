"""Messages: every sentence a person reads, in English and Simplified Chinese, looked up by id.

One catalogue feeds command line, pages, notifications and the API. A message id is `AREA.NAME`; the area is a module of
both languages (`en/status.py`, `zh_cn/status.py`) holding `MESSAGES: dict[str, str]`. Error codes (`PL-…`) live in the
areas listed in `_ERROR_AREAS`. Placeholders are `{name}`, filled by a `Voice`.
"""

from perilune.core.messages.catalogue import Language, message, message_ids, pick_language
from perilune.core.messages.voice import Voice

__all__ = ["Language", "Voice", "message", "message_ids", "pick_language"]
