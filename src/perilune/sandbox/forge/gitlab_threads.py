"""GitLab's discussions and draft notes, with its rules for positions."""

import hashlib
import re
from typing import Any

from perilune.sandbox.forge.answers import Asked, ForgeRefusal, Route, paged
from perilune.sandbox.forge.git import Change, Spot
from perilune.sandbox.forge.gitlab import (
    check_length,
    is_built,
    note_document,
    refs_document,
    refusal,
    the_pull,
    the_user,
)
from perilune.sandbox.forge.state import Draft, Pull, Repository, Thread, User
from perilune.sandbox.http.reply import Reply

_LINE_CODE = '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}'
_INCOMPLETE = '400 Bad request - Note {:position=>["is incomplete"]}'
_NEW_STYLE = '400 Bad request - Note {:noteable=>["doesn\'t support new-style diff notes"]}'
_CODE = re.compile(r"(?P<file>[0-9a-f]{40})_(?P<old>\d+)_(?P<new>\d+)")


def thread_routes(mr: str) -> list[Route]:
    """The routes of discussions and drafts, below the merge request's own pattern."""
    thread = mr + r"/discussions/(?P<thread>[^/]+)"
    return [
        ("GET", mr + r"/discussions", _discussions),
        ("POST", mr + r"/discussions", _discuss),
        ("PUT", thread, _resolve),
        ("POST", thread + r"/notes", _reply),
        ("GET", mr + r"/draft_notes", _drafts),
        ("POST", mr + r"/draft_notes", _draft),
        ("POST", mr + r"/draft_notes/bulk_publish", _publish),
        ("DELETE", mr + r"/draft_notes/(?P<draft>\d+)", _drop),
    ]


def _discussions(asked: Asked) -> Reply:
    _, pull = the_pull(asked)
    rows: list[dict[str, Any]] = [_thread_document(thread) for thread in pull.threads]
    rows += [
        {"id": f"note{comment.id}", "individual_note": True, "notes": [note_document(comment, resolvable=False)]}
        for comment in pull.comments
    ]
    return paged(asked, rows)


def _thread_document(thread: Thread) -> dict[str, Any]:
    more = {"resolvable": True, "resolved": thread.is_resolved, "position": thread.place, "type": "DiffNote"}
    if thread.resolved_by:
        more["resolved_by"] = {"username": thread.resolved_by}
    return {
        "id": thread.id, "individual_note": False,
        "notes": [note_document(comment, **more) for comment in thread.comments],
    }  # fmt: skip


def _check(asked: Asked, repository: Repository, pull: Pull, position: dict[str, Any], *, is_draft: bool) -> None:
    """Raises: ForgeRefusal in GitLab's words for a position that it does not take."""
    if not is_built(asked, pull):
        raise refusal(400, _INCOMPLETE if is_draft else _NEW_STYLE)
    refs = refs_document(repository, pull)
    named = ("base_sha", "start_sha", "head_sha", "old_path", "new_path", "position_type")
    if any(not position.get(name) for name in named) or any(position[name] != refs[name] for name in refs):
        raise refusal(400, _INCOMPLETE)
    change = repository.change(pull, position["new_path"])
    if change is None or position["old_path"] != change.old_path:
        raise refusal(400, _LINE_CODE)
    if position["position_type"] == "file":
        return
    spot = _spot(change, position)
    number = position.get("new_line") or position.get("old_line")
    if spot is None or f"{change.path}:{number}" in asked.forge.behaviour.refused_lines:
        raise refusal(400, _LINE_CODE)
    if "line_range" in position:
        _check_range(asked, change, position, spot, is_draft=is_draft)


def _spot(change: Change, position: dict[str, Any]) -> Spot | None:
    """The line of a position: added lines by the new number alone, removed ones by the old, others by both."""
    old, new = position.get("old_line"), position.get("new_line")
    if new is not None and old is None:
        spot = change.right.get(new)
        return spot if spot is not None and spot.kind == "+" else None
    if old is not None and new is None:
        spot = change.left.get(old)
        return spot if spot is not None and spot.kind == "-" else None
    spot = change.right.get(new) if new is not None else None
    return spot if spot is not None and spot.kind == " " and spot.old == old else None


def _check_range(asked: Asked, change: Change, position: dict[str, Any], end: Spot, *, is_draft: bool) -> None:
    given = position["line_range"]
    schema = ForgeRefusal(400, {"message": {"position": ["must be a valid json schema"]}})
    if asked.forge.behaviour.refuses_line_range:
        raise schema
    if is_draft and any("old_line" in given[name] or "new_line" in given[name] for name in ("start", "end")):
        raise schema
    spots = [_coded(change, given[name]) for name in ("start", "end")]
    if spots[0] is None or spots[1] is None or spots[0].hunk != spots[1].hunk or spots[1] != end:
        raise refusal(400, _LINE_CODE)


def _coded(change: Change, given: dict[str, Any]) -> Spot | None:
    match = _CODE.fullmatch(str(given.get("line_code") or ""))
    name = change.old_path if change.status == "D" else change.path
    if match is None or match["file"] != hashlib.sha1(name.encode()).hexdigest():  # noqa: S324 - GitLab's own format
        return None
    old, new = int(match["old"]), int(match["new"])
    kinds = {"new": "+", "old": "-", None: " "}
    for spot in (change.right.get(new), change.left.get(old)):
        if spot is not None and (spot.old, spot.new, spot.kind) == (old, new, kinds.get(given.get("type"))):
            return spot
    return None


def _thread(
    asked: Asked, repository: Repository, pull: Pull, user: User, body: str, position: dict[str, Any]
) -> Thread:
    change = repository.change(pull, position["new_path"])
    spot = _spot(change, position) if change is not None and position["position_type"] == "text" else None
    return Thread(
        id=hashlib.sha256(str(asked.forge.new_id()).encode()).hexdigest()[:40],
        comments=[asked.forge.comment(user, body)], place=position, path=position["new_path"],
        text=spot.text if spot is not None else None, commit=pull.head,
    )  # fmt: skip


def _discuss(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    user, given = the_user(asked), asked.document()
    body, position = given.get("body") or "", given.get("position")
    check_length(body)
    if position is None:
        comment = asked.forge.comment(user, body)
        pull.comments.append(comment)
        return Reply.json({"id": f"note{comment.id}", "notes": [note_document(comment)]}, 201)
    _check(asked, repository, pull, position, is_draft=False)
    thread = _thread(asked, repository, pull, user, body, position)
    pull.threads.append(thread)
    return Reply.json(_thread_document(thread), 201)


def _thread_of(asked: Asked, pull: Pull) -> Thread:
    found = next((one for one in pull.threads if one.id == asked.match["thread"]), None)
    if found is None:
        raise refusal(404, "404 Discussion Not Found")
    return found


def _resolve(asked: Asked) -> Reply:
    _, pull = the_pull(asked)
    thread, user = _thread_of(asked, pull), the_user(asked)
    wanted = asked.query("resolved") or str(asked.document().get("resolved", "")).lower()
    if wanted not in ("true", "false"):
        raise ForgeRefusal(400, {"error": "resolved is missing"})
    thread.is_resolved = wanted == "true"
    thread.resolved_by = user.login if thread.is_resolved else None
    return Reply.json(_thread_document(thread))


def _reply(asked: Asked) -> Reply:
    _, pull = the_pull(asked)
    thread = _thread_of(asked, pull)
    body = asked.document().get("body") or ""
    check_length(body)
    comment = asked.forge.comment(the_user(asked), body)
    thread.comments.append(comment)
    return Reply.json(note_document(comment), 201)


def _drafting(asked: Asked) -> tuple[Repository, Pull]:
    if not asked.forge.behaviour.has_draft_notes:
        raise refusal(404, "404 Not Found")
    return the_pull(asked)


def _draft_document(draft: Draft) -> dict[str, Any]:
    return {"id": draft.id, "author_id": draft.author.id, "note": draft.note, "position": draft.position}


def _drafts(asked: Asked) -> Reply:
    _, pull = _drafting(asked)
    user = the_user(asked)
    return paged(asked, [_draft_document(one) for one in pull.drafts if one.author.login == user.login])


def _draft(asked: Asked) -> Reply:
    repository, pull = _drafting(asked)
    user, given = the_user(asked), asked.document()
    note, position = given.get("note") or "", given.get("position")
    check_length(note)
    if position is not None:
        _check(asked, repository, pull, position, is_draft=True)
    draft = Draft(id=asked.forge.new_id(), author=user, note=note, position=position)
    pull.drafts.append(draft)
    return Reply.json(_draft_document(draft), 201)


def _publish(asked: Asked) -> Reply:
    """Every draft of the caller becomes a discussion, with one notification."""
    repository, pull = _drafting(asked)
    user = the_user(asked)
    for draft in [one for one in pull.drafts if one.author.login == user.login]:
        if draft.position is None:
            pull.comments.append(asked.forge.comment(user, draft.note))
        else:
            pull.threads.append(_thread(asked, repository, pull, user, draft.note, draft.position))
        pull.drafts.remove(draft)
    return Reply(status=204)


def _drop(asked: Asked) -> Reply:
    _, pull = _drafting(asked)
    user, wanted = the_user(asked), int(asked.match["draft"])
    found = next((one for one in pull.drafts if one.id == wanted and one.author.login == user.login), None)
    if found is None:
        raise refusal(404, "404 Not found")
    pull.drafts.remove(found)
    return Reply(status=204)
