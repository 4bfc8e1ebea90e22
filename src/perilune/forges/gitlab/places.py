"""Places in GitLab's words: added lines by the new number, removed by the old, unchanged by both."""

import hashlib
from typing import Any

from perilune.forges.contract.port import Place
from perilune.forges.gitlab.wire import Version
from perilune.patches.spots import LineSpot


def position(place: Place, version: Version) -> dict[str, Any]:
    """The position of a comment. Both paths are always named; a range is that of its end with both line codes."""
    found: dict[str, Any] = {
        "position_type": "text" if place.end is not None else "file",
        "base_sha": version.base_commit_sha, "start_sha": version.start_commit_sha,
        "head_sha": version.head_commit_sha, "old_path": place.old_path, "new_path": place.path,
    }  # fmt: skip
    if place.end is None:
        return found
    found |= _lines(place.end)
    if place.start is not None and place.is_range:
        found["line_range"] = {"start": _coded(place.start, place), "end": _coded(place.end, place)}
    return found


def without_range(position_: dict[str, Any]) -> dict[str, Any]:
    """The same on the last line alone."""
    return {key: value for key, value in position_.items() if key != "line_range"}


def _lines(spot: LineSpot) -> dict[str, int]:
    pairs = {"old_line": spot.old, "new_line": spot.new}
    return {name: number for name, number in pairs.items() if number is not None}


def _coded(spot: LineSpot, place: Place) -> dict[str, str]:
    """A line code names the counters of both sides at the line's place; its type is absent where nothing changed."""
    name = place.old_path if place.is_deleted else place.path
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    code = {"line_code": f"{digest}_{spot.old_counter}_{spot.new_counter}"}
    if spot.old is None:
        return {**code, "type": "new"}
    return {**code, "type": "old"} if spot.new is None else code
