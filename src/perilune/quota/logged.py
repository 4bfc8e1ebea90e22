"""What another program on this machine logged of one request: counts alone, nothing of what was said."""

from datetime import datetime

from msgspec import Struct


class LoggedUse(Struct, frozen=True, kw_only=True):
    """One logged request. Shape: `id` is a digest of the log's own record; `input_tokens` is all that went in."""

    id: str
    at: datetime
    model: str | None
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
