"""GitHub's check runs, and the few GraphQL operations that threads need."""

import re
from typing import Any

from perilune.sandbox.forge.answers import Asked, Route, writes_only
from perilune.sandbox.forge.github import refusal, repository_of, the_user, user_document
from perilune.sandbox.forge.github_notes import note_routes
from perilune.sandbox.forge.state import Comment, Pull, Repository, Status, Thread, User
from perilune.sandbox.http.reply import Reply

_REPO = r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
_MOST_ANNOTATIONS = 50
_CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required")


def more() -> list[Route]:
    """Routes that stand beside the REST table."""
    return [
        ("POST", _REPO + r"/check-runs", _create_check),
        ("PATCH", _REPO + r"/check-runs/(?P<check>\d+)", _edit_check),
        ("GET", _REPO + r"/commits/(?P<sha>[0-9a-f]+)/check-runs", _checks),
        ("POST", r"/graphql", _graphql),
        *note_routes(),
    ]


def _checked(asked: Asked) -> dict[str, Any]:
    given = asked.document()
    user = the_user(asked)
    if not user.is_app or not writes_only(repository_of(asked).role(user)):
        raise refusal(403, "You must authenticate via a GitHub App.")
    output = given.get("output") or {}
    annotations = output.get("annotations") or []
    if len(annotations) > _MOST_ANNOTATIONS:
        raise refusal(422, "Invalid request.\n\nNo more than 50 items are allowed; 51 were supplied.")
    if len(output.get("title") or "") > 255 or given.get("conclusion") not in (None, *_CONCLUSIONS):
        raise refusal(422, "Invalid request.")
    for one in annotations:
        if one.get("start_line") != one.get("end_line") and ("start_column" in one or "end_column" in one):
            raise refusal(422, "Invalid request.\n\ncolumns are only allowed when start and end line are equal.")
    return given


def _create_check(asked: Asked) -> Reply:
    given = _checked(asked)
    row = Status(
        id=asked.forge.new_id(), commit=given["head_sha"], name=given["name"],
        state=given.get("conclusion") or given.get("status", "queued"), document=given, is_check=True,
        description=(given.get("output") or {}).get("title") or "",
    )  # fmt: skip
    repository_of(asked).statuses.append(row)
    return Reply.json(_check_document(row), 201)


def _edit_check(asked: Asked) -> Reply:
    given = _checked(asked)
    wanted = int(asked.match["check"])
    row = next((one for one in repository_of(asked).statuses if one.is_check and one.id == wanted), None)
    if row is None:
        raise refusal(404, "Not Found")
    row.state = given.get("conclusion") or given.get("status") or row.state
    row.description = (given.get("output") or {}).get("title") or row.description
    before = (row.document.get("output") or {}).get("annotations") or []
    row.document = {**row.document, **given}
    if before and "output" in given:
        row.document["output"] = {**given["output"], "annotations": before + (given["output"].get("annotations") or [])}
    return Reply.json(_check_document(row))


def _checks(asked: Asked) -> Reply:
    rows = [one for one in repository_of(asked).statuses if one.is_check and one.commit == asked.match["sha"]]
    return Reply.json({"total_count": len(rows), "check_runs": [_check_document(row) for row in rows]})


def _check_document(row: Status) -> dict[str, Any]:
    return {
        "id": row.id, "head_sha": row.commit, "name": row.name, "external_id": row.document.get("external_id"),
        "conclusion": row.state if row.state in _CONCLUSIONS else None,
        "html_url": f"/checks/{row.id}", "output": {"title": row.description},
    }  # fmt: skip


def _graphql(asked: Asked) -> Reply:
    """The operations that are played; anything else is a fault of the caller."""
    the_user(asked)
    given = asked.document()
    query, variables = str(given.get("query") or ""), given.get("variables") or {}
    if "resolveReviewThread" in query:
        return _resolve(asked, query, variables)
    if "viewer" in query:
        return Reply.json({"data": {"viewer": _actor(the_user(asked))}})
    if "reviewThreads" in query:
        return _threads(asked, variables)
    raise refusal(400, f"this forge does not play: {query[:80]}")


def _threads(asked: Asked, variables: dict[str, Any]) -> Reply:
    repository = asked.forge.find(f"{variables['owner']}/{variables['name']}")
    pull = repository.pulls.get(int(variables["number"])) if repository is not None else None
    if repository is None or pull is None:
        return Reply.json({"data": {"repository": None}, "errors": [{"type": "NOT_FOUND"}]})
    size = min(100, asked.forge.behaviour.page_cap)
    start = int(variables.get("after") or 0)
    shown = pull.threads[start : start + size]
    has_more = start + size < len(pull.threads)
    connection = {
        "pageInfo": {"hasNextPage": has_more, "endCursor": str(start + size)},
        "nodes": [_thread_node(repository, pull, thread) for thread in shown],
    }
    return Reply.json({"data": {"repository": {"pullRequest": {"reviewThreads": connection}}}})


def _thread_node(repository: Repository, pull: Pull, thread: Thread) -> dict[str, Any]:
    line = thread.place.get("line")
    return {
        "id": thread.id, "isResolved": thread.is_resolved, "isOutdated": thread.is_outdated, "path": thread.path,
        "line": None if thread.is_outdated else line, "originalLine": line,
        "diffSide": thread.place.get("side", "RIGHT"),
        "resolvedBy": {"login": thread.resolved_by} if thread.resolved_by else None,
        "comments": {"nodes": [_comment_node(repository, pull, comment) for comment in thread.comments]},
    }  # fmt: skip


def _comment_node(repository: Repository, pull: Pull, comment: Comment) -> dict[str, Any]:
    return {
        "databaseId": comment.id, "body": comment.body, "createdAt": comment.at,
        "author": _actor(comment.author),
        "url": f"/{repository.path}/pull/{pull.number}#discussion_r{comment.id}",
        "reactions": {"nodes": [
            {"content": _CONTENTS.get(content, content.upper()), "user": {"login": login}}
            for login, content in comment.reactions
        ]},
    }  # fmt: skip


def _actor(user: User) -> dict[str, Any]:
    """Somebody as GraphQL names them: apps without their `[bot]`."""
    return {"login": user.login.removesuffix("[bot]"), "__typename": user_document(user)["type"]}


_CONTENTS = {"+1": "THUMBS_UP", "-1": "THUMBS_DOWN"}


def _resolve(asked: Asked, query: str, variables: dict[str, Any]) -> Reply:
    wanted = variables.get("threadId") or (variables.get("input") or {}).get("threadId")
    user = the_user(asked)
    if not asked.forge.behaviour.may_resolve:
        words = "Resource not accessible by integration"
        return Reply.json({"data": {"resolveReviewThread": None}, "errors": [{"type": "FORBIDDEN", "message": words}]})
    is_undone = re.search(r"\bunresolveReviewThread\b", query) is not None
    for repository in asked.forge.repositories.values():
        for pull in repository.pulls.values():
            for thread in pull.threads:
                if thread.id == wanted:
                    thread.is_resolved = not is_undone
                    thread.resolved_by = None if is_undone else user.login
                    name = "unresolveReviewThread" if is_undone else "resolveReviewThread"
                    return Reply.json({"data": {name: {"thread": {"isResolved": thread.is_resolved}}}})
    return Reply.json({"data": None, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a node"}]})
