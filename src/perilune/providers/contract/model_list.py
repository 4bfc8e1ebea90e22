"""A vendor's live list of models, read as far as it can be: a row without a name is none, an odd field is not said.

Source: GET /models -> data[]: id, context_length, display_name, supports_reasoning, supports_image_in,
supports_video_in, supports_tool_use, supports_thinking_type (only, no, both), think_efforts.
"""

from collections.abc import Mapping
from typing import Any

from perilune.core.live_models import LiveModel, Thinking
from perilune.core.numbers import parse_number

_LARGEST_CONTEXT = 1_000_000_000
_MOST_EFFORTS = 16
_THINKING: dict[object, Thinking] = {"only": "only", "both": "both", "no": "none"}


def listed(body: Mapping[str, Any]) -> tuple[LiveModel, ...]:
    """The models of an answer, in its order."""
    data = body.get("data")
    rows = data if isinstance(data, list) else [data]
    return tuple(_model(row) for row in rows if isinstance(row, dict) and _text(row.get("id")))


def _model(row: Mapping[str, Any]) -> LiveModel:
    efforts, default = _efforts(row.get("think_efforts"))
    kind = row.get("supports_thinking_type")
    return LiveModel(
        id=_text(row.get("id")) or "",
        context=_context(row.get("context_length")),
        thinking=_THINKING.get(kind) if isinstance(kind, str) else None,
        efforts=efforts,
        default_effort=default,
        supports_reasoning=_said(row.get("supports_reasoning")),
        supports_image=_said(row.get("supports_image_in")),
        supports_video=_said(row.get("supports_video_in")),
        supports_tools=_said(row.get("supports_tool_use")),
        title=_text(row.get("display_name")),
    )


def _efforts(value: object) -> tuple[tuple[str, ...], str | None]:
    if not isinstance(value, dict) or value.get("support") is False:
        return (), None
    valid = value.get("valid_efforts")
    texts = (_text(one) for one in (valid if isinstance(valid, list) else [])[:_MOST_EFFORTS])
    efforts = tuple(text for text in texts if text)
    default = _text(value.get("default_effort"))
    return efforts, default if default in efforts else None


def _context(value: object) -> int | None:
    number = parse_number(value)
    return int(number) if number is not None and 0 < number <= _LARGEST_CONTEXT else None


def _said(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value.strip()[:200] or None if isinstance(value, str) else None
