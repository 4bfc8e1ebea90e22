"""Places in GitHub's words: `line` and `side`, the start only where it differs."""

from typing import Any

from perilune.forges.contract.port import Place, Post
from perilune.patches.spots import LineSpot


def comment_of(post: Post) -> dict[str, Any]:
    """One comment of a review, or of its own."""
    return {"path": post.place.path, "body": post.body, **position(post.place)}


def position(place: Place) -> dict[str, Any]:
    """The fields of a place. Lines that were removed are on the LEFT, all others on the RIGHT."""
    if place.end is None:
        return {"subject_type": "file"}
    side = "LEFT" if place.side == "old" else "RIGHT"
    found: dict[str, Any] = {"line": _number(place.end, place), "side": side}
    if place.start is not None and place.is_range:
        found |= {"start_line": _number(place.start, place), "start_side": side}
    return found


def _number(spot: LineSpot, place: Place) -> int | None:
    return spot.old if place.side == "old" else spot.new
