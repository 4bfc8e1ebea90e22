"""The shape of a document: its names and types, never its values."""

from typing import Any

_DEEPEST = 12
_MOST_ITEMS = 3


def shape_of(value: Any, depth: int = 0) -> Any:
    """Every value replaced by the name of its type; of a list the first few items."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {str(name): shape_of(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape_of(inner, depth + 1) for inner in value[:_MOST_ITEMS]]
    return "null" if value is None else type(value).__name__
