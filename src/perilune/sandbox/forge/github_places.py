"""Where GitHub lets a comment stand, and its words where it does not."""

from typing import Any

from perilune.sandbox.forge.git import Change, Spot
from perilune.sandbox.forge.state import Forge, Pull, Repository, Thread, User

_LINE = "Pull request review thread line must be part of the diff"
_SAME_HUNK = "Pull request review thread start line must be part of the same hunk as the line."
_ORDER = "Pull request review thread start line must precede the end line."
_NO_HUNK = "Pull request review thread diff hunk can't be blank"
_PLACE: tuple[str, ...] = ("line", "side", "start_line", "start_side", "subject_type")
_PATH = "Pull request review thread path is invalid"


def check_place(forge: Forge, repository: Repository, pull: Pull, commit: str, given: dict[str, Any]) -> list[Any]:
    """What GitHub has against a place; empty where it takes it."""
    path = str(given.get("path") or "")
    change = _change(repository, pull, commit, path)
    if change is None:
        return [_PATH]
    if given.get("subject_type") == "file":
        return []
    end = _spot(change, given.get("line"), given.get("side", "RIGHT"))
    if end is None or f"{path}:{given.get('line')}" in forge.behaviour.refused_lines:
        return [_LINE, _NO_HUNK]
    if given.get("start_line") is None:
        return []
    if given["start_line"] >= given["line"] and given.get("start_side", "RIGHT") == given.get("side", "RIGHT"):
        return [_ORDER]
    start = _spot(change, given["start_line"], given.get("start_side", given.get("side", "RIGHT")))
    return [] if start is not None and start.hunk == end.hunk else [_SAME_HUNK, _NO_HUNK]


def place_thread(
    forge: Forge, repository: Repository, pull: Pull, user: User, given: dict[str, Any], commit: str
) -> Thread:
    """The thread of a comment whose place was found good."""
    change = _change(repository, pull, commit, given["path"])
    spot = _spot(change, given.get("line"), given.get("side", "RIGHT")) if change is not None else None
    place = {name: given[name] for name in _PLACE if name in given}
    return Thread(
        id=f"PRRT_{forge.new_id()}", comments=[forge.comment(user, str(given.get("body") or ""))], place=place,
        path=given["path"], text=spot.text if spot is not None else None, commit=commit,
    )  # fmt: skip


def _change(repository: Repository, pull: Pull, commit: str, path: str) -> Change | None:
    if commit == pull.head:
        return repository.change(pull, path)
    base = repository.bare.merge_base(repository.base(pull), commit) if repository.bare.tip(commit) else None
    return repository.bare.change(base, commit, path) if base is not None else None


def _spot(change: Change, line: object, side: str) -> Spot | None:
    if not isinstance(line, int):
        return None
    return change.left.get(line) if side == "LEFT" else change.right.get(line)
