"""How full the context of a coding tool is, as its status line input says it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def share_text(ratio: object) -> str | None:
    """`ctx 42%` of a ratio; None when it is none."""
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 <= ratio < 1e6:
        return None
    return f"ctx {round(ratio * 1_000_000) // 10_000}%"


def table(value: object, name: str) -> Mapping[str, object]:
    """A table inside a table of foreign data; empty when it is missing or something else."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def number(value: object) -> float | None:
    """A number of foreign data."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and value == value else None  # type: ignore[arg-type] # NaN is not itself
