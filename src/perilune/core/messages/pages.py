"""Pages of codes written as rows: title, what, seen as, what can be done."""

from collections.abc import Mapping

_PARTS = ("title", "what", "seen", "can")
_MARK = " | "


def pages(rows: Mapping[str, str]) -> dict[str, str]:
    """The rows as messages `explain.CODE.PART`; an empty part has none."""
    return {
        f"explain.{code}.{part}": text.strip()
        for code, row in rows.items()
        for part, text in zip(_PARTS, row.split(_MARK), strict=True)
        if text.strip()
    }
