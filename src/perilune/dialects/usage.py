"""Token usage: one internal form, read from and written to the three wire forms.

Source: gateway reference 1.5; Moonshot documents `cached_tokens` at the top of `usage`, OpenAI inside
`prompt_tokens_details`; Anthropic's `input_tokens` leaves cache reads and writes out.
"""

from collections.abc import Mapping

from msgspec import Struct


class Usage(Struct, frozen=True, gc=False, omit_defaults=True):
    """Tokens of one answer. Zeros are numbers, absent is None.

    Units: tokens. `input_total` includes cache reads and writes; `reasoning` is a part of `output_total`.
    """

    input_total: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output_total: int | None = None
    reasoning: int | None = None


def read_chat_usage(raw: object) -> Usage | None:
    """The `usage` of a Chat answer or chunk; of two cached counts the larger. None when it is not an object."""
    if not isinstance(raw, Mapping):
        return None
    details = _mapping(raw.get("prompt_tokens_details"))
    cached = [count for count in (_count(raw, "cached_tokens"), _count(details, "cached_tokens")) if count is not None]
    return Usage(
        input_total=_count(raw, "prompt_tokens"),
        cache_read=max(cached) if cached else None,
        cache_write=_count(details, "cache_write_tokens"),
        output_total=_count(raw, "completion_tokens"),
        reasoning=_count(_mapping(raw.get("completion_tokens_details")), "reasoning_tokens"),
    )


def read_responses_usage(raw: object) -> Usage | None:
    """The `usage` of a Responses answer. None when it is not an object."""
    if not isinstance(raw, Mapping):
        return None
    details = _mapping(raw.get("input_tokens_details"))
    return Usage(
        input_total=_count(raw, "input_tokens"),
        cache_read=_count(details, "cached_tokens"),
        cache_write=_count(details, "cache_write_tokens"),
        output_total=_count(raw, "output_tokens"),
        reasoning=_count(_mapping(raw.get("output_tokens_details")), "reasoning_tokens"),
    )


def read_messages_usage(raw: object) -> Usage | None:
    """The `usage` of a Messages answer. None when it is not an object."""
    if not isinstance(raw, Mapping):
        return None
    fresh = _count(raw, "input_tokens")
    read, write = _count(raw, "cache_read_input_tokens"), _count(raw, "cache_creation_input_tokens")
    return Usage(
        input_total=None if fresh is None else fresh + (read or 0) + (write or 0),
        cache_read=read,
        cache_write=write,
        output_total=_count(raw, "output_tokens"),
        reasoning=_count(_mapping(raw.get("output_tokens_details")), "thinking_tokens"),
    )


def chat_usage(usage: Usage) -> dict[str, object]:
    """The Chat form, with both cached counts."""
    prompt, completion = usage.input_total or 0, usage.output_total or 0
    wire: dict[str, object] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    details: dict[str, int] = {}
    if usage.cache_read is not None:
        wire["cached_tokens"] = details["cached_tokens"] = usage.cache_read
    if usage.cache_write is not None:
        details["cache_write_tokens"] = usage.cache_write
    if details:
        wire["prompt_tokens_details"] = details
    if usage.reasoning is not None:
        wire["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return wire


def responses_usage(usage: Usage) -> dict[str, object]:
    """The Responses form; its clients demand the details, so unknown ones are written as 0."""
    total_in, total_out = usage.input_total or 0, usage.output_total or 0
    return {
        "input_tokens": total_in,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read or 0,
            "cache_write_tokens": usage.cache_write or 0,
        },
        "output_tokens": total_out,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": total_in + total_out,
    }


def messages_usage(usage: Usage) -> dict[str, object]:
    """The Messages form: `input_tokens` is what was neither read from nor written to the cache, never below 0."""
    read, write = usage.cache_read or 0, usage.cache_write or 0
    wire: dict[str, object] = {"input_tokens": max((usage.input_total or 0) - read - write, 0)}
    if usage.cache_write is not None:
        wire["cache_creation_input_tokens"] = usage.cache_write
    if usage.cache_read is not None:
        wire["cache_read_input_tokens"] = usage.cache_read
    wire["output_tokens"] = usage.output_total or 0
    if usage.reasoning is not None:
        wire["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return wire


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _count(raw: Mapping[str, object], key: str) -> int | None:
    value = raw.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
