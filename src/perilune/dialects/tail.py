"""Model and usage of a whole answer, read in one pass where they have their usual form."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from perilune.dialects.content import usage_of_answer
from perilune.dialects.form import Dialect
from perilune.dialects.usage import Usage

_Count = Annotated[int, Meta(ge=0)]


class _PromptDetails(Struct, gc=False):
    cached_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None


class _CompletionDetails(Struct, gc=False):
    reasoning_tokens: _Count | None = None


class _ChatUsage(Struct, gc=False):
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    cached_tokens: _Count | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _ChatTail(Struct, gc=False):
    id: str | None = None
    model: str | None = None
    usage: _ChatUsage | None = None


_decode = msgspec.json.Decoder(_ChatTail).decode
_NOTHING_PROMPT = _PromptDetails()


def tail_of_answer(dialect: Dialect, body: bytes) -> tuple[str, Usage | None]:
    """As `usage_of_answer`, which reads whatever has another form."""
    if dialect is not Dialect.CHAT:
        return usage_of_answer(dialect, body)
    try:
        tail = _decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return usage_of_answer(dialect, body)
    raw = tail.usage
    return tail.model or "", None if raw is None else _usage(raw)


def _usage(raw: _ChatUsage) -> Usage:
    details = raw.prompt_tokens_details or _NOTHING_PROMPT
    cached, nested = raw.cached_tokens, details.cached_tokens
    completion = raw.completion_tokens_details
    return Usage(
        raw.prompt_tokens,
        cached if nested is None or (cached is not None and cached > nested) else nested,
        details.cache_write_tokens,
        raw.completion_tokens,
        None if completion is None else completion.reasoning_tokens,
    )
